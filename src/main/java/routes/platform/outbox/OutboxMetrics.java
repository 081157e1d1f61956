package routes.platform.outbox;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.database.GaugeQuery;

/** Measures the outbox: unsent and parked rows, the age of the oldest, and the records sent. */
@Component
class OutboxMetrics {

    /** A higher count would take longer and tell an operator nothing new. */
    private static final int MAX_COUNT = 100_000;

    private static final String COUNT =
            """
            select (select count(*) from (select from outbox where sent_at is null and set_aside_at is null limit :most) unsent) as waiting,
                   (select count(*) from (select from outbox where set_aside_at is not null limit :most) parked) as parked,
                   coalesce((select extract(epoch from clock_timestamp() - created_at) from outbox
                             where id = (select min(id) from outbox_unsent_topic)), 0) as oldest""";

    OutboxMetrics(JdbcClient jdbc, OutboxRelay relay, MeterRegistry meters) {
        GaugeQuery<Counts> counts = new GaugeQuery<>(() -> jdbc.sql(COUNT)
                .param("most", MAX_COUNT)
                .query((row, n) -> new Counts(row.getLong(1), row.getLong(2), row.getDouble(3)))
                .single());
        counts.register(meters, "event-broker.outbox.waiting", null, Counts::waiting);
        counts.register(meters, "event-broker.outbox.set.aside", null, Counts::parked);
        counts.register(meters, "event-broker.outbox.oldest.age", "seconds", Counts::oldest);
        Gauge.builder("event-broker.outbox.active", relay, r -> r.isActive() ? 1 : 0)
                .register(meters);
        FunctionCounter.builder("event-broker.outbox.sent", relay, OutboxRelay::sent)
                .register(meters);
    }

    private record Counts(long waiting, long parked, double oldest) {}
}
