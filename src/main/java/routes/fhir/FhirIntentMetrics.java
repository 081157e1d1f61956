package routes.fhir;

import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.database.GaugeQuery;

/** Measures the open intents of all instances: their number, and the age of the oldest. */
@Component
class FhirIntentMetrics {

    /** A higher count would take longer and tell an operator nothing new. */
    private static final int MAX_COUNT = 100_000;

    private static final String COUNT =
            """
            select (select count(*) from (select from fhir_intent where state = 'OPEN' limit :most) unknown),
                   coalesce((select extract(epoch from clock_timestamp() - min(created_at)) from fhir_intent
                             where state = 'OPEN'), 0)""";

    FhirIntentMetrics(JdbcClient jdbc, MeterRegistry meters) {
        GaugeQuery<Counts> counts = new GaugeQuery<>(() -> jdbc.sql(COUNT)
                .param("most", MAX_COUNT)
                .query((row, n) -> new Counts(row.getLong(1), row.getDouble(2)))
                .single());
        counts.register(meters, "event-broker.fhir.intents.open", null, Counts::open);
        counts.register(meters, "event-broker.fhir.intents.oldest.age", "seconds", Counts::oldest);
    }

    private record Counts(long open, double oldest) {}
}
