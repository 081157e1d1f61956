package routes.platform.state;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import routes.platform.error.FailureClassifier;

/**
 * Purges old rows in batches, each in its own transaction, so none is long or holds many locks. Instances purge in
 * parallel and skip each other's rows.
 */
@Component("retention") // the name of its health component
class RetentionPurger implements HealthIndicator {

    private static final Logger LOG = LoggerFactory.getLogger(RetentionPurger.class);

    static final int BATCH = 5000;

    private final JdbcClient jdbc;
    private final List<RetentionRule> rules;
    private final FailureClassifier failures;

    /** Tables whose last purge failed, with the reason. */
    private final Map<String, String> failing = new ConcurrentHashMap<>();

    RetentionPurger(JdbcClient jdbc, List<RetentionRule> rules, FailureClassifier failures, MeterRegistry meters) {
        this.jdbc = jdbc;
        this.rules = rules;
        this.failures = failures;
        Gauge.builder("event-broker.retention.failing", failing, Map::size).register(meters);
    }

    @Scheduled(
            initialDelayString = "${event-broker.retention.interval}",
            fixedDelayString = "${event-broker.retention.interval}")
    void purge() {
        for (RetentionRule rule : rules) {
            try {
                long rows = purge(rule);
                failing.remove(rule.table());
                LOG.info("purged {} rows of {} older than {}", rows, rule.table(), rule.keep());
            } catch (RuntimeException e) {
                failing.put(rule.table(), failures.describe(e));
                LOG.warn("{} is not purged: {}", rule.table(), failures.describe(e));
            }
        }
    }

    private long purge(RetentionRule rule) {
        // by the database's clock, which dated the rows; clock_timestamp() would not use the index
        String old = rule.column() + " < now() - make_interval(secs => ?)"
                + (rule.exception() == null ? "" : " and not exists (" + rule.exception() + ")");
        long keep = rule.keep().toSeconds();
        long rows = 0;
        if (!rule.childTables().isEmpty()) {
            for (Object id : jdbc.sql("select id from %s where %s".formatted(rule.table(), old))
                    .param(keep)
                    .query()
                    .singleColumn()) {
                for (Map.Entry<String, String> child : rule.childTables().entrySet()) {
                    // range and order make the planner use the index, whatever its statistics say
                    String ofParent = "%1$s >= ? and %1$s <= ? order by %1$s".formatted(child.getValue());
                    rows += purge(child.getKey(), ofParent, id, id);
                }
            }
        }
        return rows + purge(rule.table(), old + " order by " + rule.column(), keep);
    }

    private long purge(String table, String condition, Object... params) {
        String batch =
                "delete from %1$s where ctid = any(array(select ctid from %1$s where %2$s limit %3$d for update skip locked))"
                        .formatted(table, condition, BATCH);
        long rows = 0;
        int deleted;
        do {
            deleted = jdbc.sql(batch).params(params).update();
            rows += deleted;
            // a shutdown interrupts
        } while (deleted == BATCH && !Thread.currentThread().isInterrupted());
        return rows;
    }

    @Override
    public Health health() {
        return failing.isEmpty()
                ? Health.up().build()
                : Health.down().withDetails(new TreeMap<>(failing)).build();
    }
}
