package routes.pubsub;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.component.kafka.KafkaConstants;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;
import routes.platform.state.HandledEvents;

/** Keeps the pharmacy's work queue: one order per prescription, in the state of its latest event. */
@Component("pharmacyOrderQueue")
class PharmacyOrderQueue {

    /** The prescription statuses (FHIR medicationrequest-status) that a FHIR Task has too. */
    private static final Set<String> TASK_STATUSES = Set.of("on-hold", "cancelled", "completed");

    private static final String GROUP = "pharmacy-prescription-processor";

    private static final String SELECT_PAGE =
            """
            select seq, prescription_id, patient_id, status, prescription, event_id, correlation_id,
                   (extract(epoch from received_at) * 1000)::bigint as received_at,
                   (extract(epoch from updated_at) * 1000)::bigint as updated_at, octet_length(prescription::text) as bytes
            from pharmacy_order
            where tenant = :tenant and seq < :before and (:patient::text is null or patient_id = :patient)
            order by seq desc limit :rows""";

    private final JdbcClient jdbc;
    private final HandledEvents handled;
    private final Clock clock = Clock.systemUTC();

    PharmacyOrderQueue(JdbcClient jdbc, HandledEvents handled) {
        this.jdbc = jdbc;
        this.handled = handled;
    }

    /**
     * Inserts or updates the order of a prescription. The event with the later timestamp wins, because {@code created}
     * and {@code updated} are two topics and either may arrive first. A timestamp ahead of its record counts as the
     * record's: else a cancellation in between would have no effect.
     *
     * @param written the record's timestamp in epoch milliseconds; negative when unknown
     */
    @Transactional
    public void upsert(@Body Event<JsonNode> event, @Header(KafkaConstants.TIMESTAMP) long written) {
        EventMetadata metadata = event.metadata();
        if (!handled.markHandled(
                GROUP,
                metadata.tenant(),
                metadata.eventId(),
                event.payload().path("id").asText())) {
            return;
        }
        jdbc.sql(
                        """
                        insert into pharmacy_order (tenant, prescription_id, patient_id, status, prescription,
                                                    event_id, event_timestamp, correlation_id)
                        values (?, ?, ?, ?, ?::json, ?, ?, ?)
                        on conflict (tenant, prescription_id) do update
                        set patient_id = excluded.patient_id, status = excluded.status, prescription = excluded.prescription,
                            event_id = excluded.event_id, event_timestamp = excluded.event_timestamp, correlation_id = excluded.correlation_id,
                            updated_at = now()
                        where pharmacy_order.event_timestamp <= excluded.event_timestamp""")
                .params(
                        metadata.tenant(),
                        event.payload().path("id").asText(),
                        event.payload().path("patientId").asText(),
                        status(event.payload().path("status").asText()),
                        event.payload().toString(),
                        UUID.fromString(metadata.eventId()),
                        Math.min(metadata.timestamp(), written < 0 ? clock.millis() : written),
                        metadata.correlationId())
                .update();
    }

    /** Returns the FHIR Task status: the pharmacy dispenses only {@code requested} orders. */
    private static String status(String prescription) {
        return TASK_STATUSES.contains(prescription) ? prescription : "requested";
    }

    /** Returns a page of the tenant's orders, newest first; all of them or one patient's. */
    public List<PharmacyOrder> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        List<PharmacyOrder> orders = jdbc.sql(Page.sized(SELECT_PAGE, "seq desc"))
                .param("tenant", request.caller().tenant())
                .param("patient", request.text("patientId"))
                .param("before", page.before())
                .param("rows", page.rows())
                .query(PharmacyOrder.class)
                .list();
        return page.cut(orders, PharmacyOrder::seq, PharmacyOrder::bytes, exchange);
    }

    record PharmacyOrder(
            @JsonIgnore long seq,
            String prescriptionId,
            String patientId,
            String status,
            @JsonRawValue String prescription,
            UUID eventId,
            String correlationId,
            long receivedAt,
            long updatedAt,
            @JsonIgnore int bytes) {}
}
