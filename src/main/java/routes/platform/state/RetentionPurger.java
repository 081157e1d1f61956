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
 * Purges what grows, some thousand rows at a time, each time in a transaction of its own: none holds many locks, or takes long. Several
 * instances may do so at once; each passes over the rows that another one has.
 */
@Component("retention") // the name of its health component
class RetentionPurger implements HealthIndicator {

    private static final Logger LOG = LoggerFactory.getLogger(RetentionPurger.class);

    static final int BATCH = 5000;

    private final JdbcClient jdbc;
    private final List<RetentionRule> rules;
    private final FailureClassifier failures;

    /** Tables whose last purge failed, and why. */
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
        // the database's clock has dated the rows; now() and not clock_timestamp(), with which no index is used
        String old = rule.column() + " < now() - make_interval(secs => ?)";
        long keep = rule.keep().toSeconds();
        long rows = 0;
        if (!rule.parts().isEmpty()) {
            for (Object id : jdbc.sql("select id from %s where %s".formatted(rule.table(), old))
                    .param(keep)
                    .query()
                    .singleColumn()) {
                for (Map.Entry<String, String> part : rule.parts().entrySet()) {
                    // a range and an order, so that the planner takes the index and stops, whatever it knows of the
                    // table
                    String ofOne = "%1$s >= ? and %1$s <= ? order by %1$s".formatted(part.getValue());
                    rows += purge(part.getKey(), ofOne, id, id);
                }
            }
        }
        return rows + purge(rule.table(), old + " order by " + rule.column(), keep);
    }

    private long purge(String table, String which, Object... params) {
        String batch =
                "delete from %1$s where ctid = any(array(select ctid from %1$s where %2$s limit %3$d for update skip locked))"
                        .formatted(table, which, BATCH);
        long rows = 0;
        int deleted;
        do {
            deleted = jdbc.sql(batch).params(params).update();
            rows += deleted;
            // a stop interrupts
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
