package routes.fhir;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.function.ToDoubleFunction;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Measures the open intents of all instances: their number, and the age of the oldest. */
@Component
class FhirIntentMetrics {

    /** A higher count would take longer and tell an operator nothing new. */
    private static final int MAX_COUNT = 100_000;

    private static final long CACHE_NANOS = Duration.ofSeconds(5).toNanos();

    private static final String COUNT =
            """
            select (select count(*) from (select from fhir_intent where state = 'OPEN' limit :most) unknown),
                   coalesce((select extract(epoch from clock_timestamp() - min(created_at)) from fhir_intent
                             where state = 'OPEN'), 0)""";

    private final JdbcClient jdbc;
    private Counts counts;
    private long countedAt;

    FhirIntentMetrics(JdbcClient jdbc, MeterRegistry meters) {
        this.jdbc = jdbc;
        gauge(meters, "open", null, Counts::open);
        gauge(meters, "oldest.age", "seconds", Counts::oldest);
    }

    private record Counts(long open, double oldest) {

        private static final Counts UNKNOWN = new Counts(-1, -1);
    }

    private void gauge(MeterRegistry meters, String name, String unit, ToDoubleFunction<Counts> value) {
        Gauge.builder("event-broker.fhir.intents." + name, this, metrics -> {
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
                        .query((row, n) -> new Counts(row.getLong(1), row.getDouble(2)))
                        .single();
            } catch (DataAccessException e) {
                counts = Counts.UNKNOWN;
            }
            countedAt = System.nanoTime();
        }
        return counts;
    }
}
