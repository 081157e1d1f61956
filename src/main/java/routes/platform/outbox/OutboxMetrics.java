package routes.platform.outbox;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.function.ToDoubleFunction;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Measures the outbox: unsent and parked rows, the age of the oldest, and the records sent. */
@Component
class OutboxMetrics {

    /** A higher count would take longer and tell an operator nothing new. */
    private static final int MAX_COUNT = 100_000;

    private static final long CACHE_NANOS = Duration.ofSeconds(5).toNanos();

    private static final String COUNT =
            """
            select (select count(*) from (select from outbox where sent_at is null and set_aside_at is null limit :most) unsent) as waiting,
                   (select count(*) from (select from outbox where set_aside_at is not null limit :most) parked) as parked,
                   coalesce((select extract(epoch from clock_timestamp() - created_at) from outbox
                             where id = (select min(id) from outbox_unsent_topic)), 0) as oldest""";

    private final JdbcClient jdbc;
    private Counts counts;
    private long countedAt;

    OutboxMetrics(JdbcClient jdbc, OutboxRelay relay, MeterRegistry meters) {
        this.jdbc = jdbc;
        gauge(meters, "waiting", null, Counts::waiting);
        gauge(meters, "set.aside", null, Counts::parked);
        gauge(meters, "oldest.age", "seconds", Counts::oldest);
        Gauge.builder("event-broker.outbox.active", relay, r -> r.isActive() ? 1 : 0)
                .register(meters);
        FunctionCounter.builder("event-broker.outbox.sent", relay, OutboxRelay::sent)
                .register(meters);
    }

    private record Counts(long waiting, long parked, double oldest) {

        private static final Counts UNKNOWN = new Counts(-1, -1, -1);
    }

    private void gauge(MeterRegistry meters, String name, String unit, ToDoubleFunction<Counts> value) {
        Gauge.builder("event-broker.outbox." + name, this, metrics -> {
                    Counts now = metrics.counts();
                    return now == Counts.UNKNOWN ? Double.NaN : value.applyAsDouble(now);
                })
                .baseUnit(unit)
                .register(meters);
    }

    /** Counts once for all gauges of a scrape, even while the database does not answer. */
    private synchronized Counts counts() {
        if (counts == null || System.nanoTime() - countedAt > CACHE_NANOS) {
            try {
                counts = jdbc.sql(COUNT)
                        .param("most", MAX_COUNT)
                        .query((row, n) -> new Counts(row.getLong(1), row.getLong(2), row.getDouble(3)))
                        .single();
            } catch (DataAccessException e) {
                counts = Counts.UNKNOWN;
            }
            countedAt = System.nanoTime();
        }
        return counts;
    }
}
