package routes.platform.outbox;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.context.annotation.Bean;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.state.RetentionRule;

/** What an operator sees of the outbox: metrics, and as health what somebody has to do something about. */
@Component("outboxHealthIndicator") // "outbox" is Camel's component
class OutboxStatus extends AbstractHealthIndicator {

    /** Counting further takes longer and says no more. */
    private static final int MOST = 100_000;

    private static final int MOST_SHOWN = 20;
    private static final long KEEP_NANOS = Duration.ofSeconds(5).toNanos();

    private static final String COUNT =
            """
            select (select count(*) from (select from outbox where sent_at is null and set_aside_at is null limit :most) unsent) as waiting,
                   (select count(*) from (select from outbox where set_aside_at is not null limit :most) aside) as set_aside,
                   coalesce((select extract(epoch from clock_timestamp() - created_at) from outbox
                             where id = (select min(id) from outbox_unsent_topic)), 0) as oldest""";

    private final JdbcClient jdbc;
    private final OutboxRelay relay;
    private Count count;
    private long countedAt;

    OutboxStatus(JdbcClient jdbc, OutboxRelay relay, MeterRegistry meters) {
        super("the database does not answer");
        this.jdbc = jdbc;
        this.relay = relay;
        gauge(meters, "waiting", null, Count::waiting);
        gauge(meters, "set.aside", null, Count::setAside);
        gauge(meters, "oldest.age", "seconds", Count::oldest);
        Gauge.builder("event-broker.outbox.active", relay, r -> r.isActive() ? 1 : 0)
                .register(meters);
        FunctionCounter.builder("event-broker.outbox.sent", relay, OutboxRelay::sent)
                .register(meters);
    }

    /** As it was some seconds ago at most. */
    private record Count(long waiting, long setAside, double oldest) {

        private static final Count UNKNOWN = new Count(-1, -1, -1);
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        List<String> troubles = new ArrayList<>();
        relay.failure().ifPresent(why -> troubles.add("no relay here: " + why));
        waitingTopics().forEach((topic, why) -> troubles.add("topic %s waits: %s".formatted(topic, why)));
        troubles.addAll(
                jdbc.sql("select id, topic, failure from outbox where set_aside_at is not null order by id limit ?")
                        .param(MOST_SHOWN)
                        .query((row, n) -> "record %d for %s is set aside: %s"
                                .formatted(row.getLong("id"), row.getString("topic"), row.getString("failure")))
                        .list());
        builder.status(troubles.isEmpty() ? "UP" : "DOWN").withDetail("active", relay.isActive());
        if (!troubles.isEmpty()) {
            builder.withDetail("troubles", troubles);
        }
    }

    /** Without topics whose last row has been dropped: the relay looks at a topic only for a row. */
    private Map<String, String> waitingTopics() {
        Map<String, String> waiting = new TreeMap<>(relay.waitingTopics());
        waiting.keySet().removeIf(topic -> !jdbc.sql(
                        "select exists (select 1 from outbox where topic = ? and sent_at is null and set_aside_at is null)")
                .param(topic)
                .query(Boolean.class)
                .single());
        return waiting;
    }

    @Bean
    static RetentionRule outboxRetention(@Value("${event-broker.retention.outbox}") Duration keep) {
        return new RetentionRule("outbox", "sent_at", keep);
    }

    private void gauge(MeterRegistry meters, String name, String unit, ToDoubleFunction<Count> value) {
        Gauge.builder("event-broker.outbox." + name, this, status -> {
                    Count now = status.count();
                    return now == Count.UNKNOWN ? Double.NaN : value.applyAsDouble(now);
                })
                .baseUnit(unit)
                .register(meters);
    }

    /** Once for the gauges of a scrape; also while the database does not answer. */
    private synchronized Count count() {
        if (count == null || System.nanoTime() - countedAt > KEEP_NANOS) {
            try {
                count = jdbc.sql(COUNT)
                        .param("most", MOST)
                        .query((row, n) -> new Count(row.getLong(1), row.getLong(2), row.getDouble(3)))
                        .single();
            } catch (DataAccessException e) {
                count = Count.UNKNOWN;
            }
            countedAt = System.nanoTime();
        }
        return count;
    }
}
