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

/** The pharmacy's work queue: one order per prescription, in the state of the prescription's latest event. */
@Component("pharmacyOrderQueue")
class PharmacyOrderQueue {

    /** Of FHIR medicationrequest-status, those that a FHIR Task has by the same name. */
    private static final Set<String> NOT_REQUESTED = Set.of("on-hold", "cancelled", "completed");

    private static final String GROUP = "pharmacy-prescription-processor";

    private static final String ORDERS =
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
     * Queues an order for the prescription, or changes the one there is. {@code created} and {@code updated} are two topics, so
     * either may arrive first: the event with the later timestamp stays. One that is dated ahead is no later than its record, or a
     * cancellation that comes before that time would have no effect, ever.
     *
     * @param written when the record was, epoch milliseconds; negative when that is not known
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

    /** FHIR Task status, from the prescription's: what is on hold or over is not to be dispensed. */
    private static String status(String prescription) {
        return NOT_REQUESTED.contains(prescription) ? prescription : "requested";
    }

    /** The orders of the caller's tenant, of one patient or of all, newest first. */
    public List<PharmacyOrder> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        List<PharmacyOrder> orders = jdbc.sql(Page.sized(ORDERS, "seq desc"))
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
