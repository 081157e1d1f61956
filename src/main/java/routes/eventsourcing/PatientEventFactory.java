package routes.eventsourcing;

import com.fasterxml.jackson.databind.JsonNode;
import eventbroker.patient.Metadata;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import eventbroker.patient.Security;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.error.ProblemException;
import routes.platform.event.OutgoingRecord;
import routes.platform.event.RecordHeaders;
import routes.platform.http.HttpRequest;

/** Makes patient events from HTTP requests, and the receipts that name their position in the log. */
@Component("patientEventFactory")
class PatientEventFactory {

    private static final String SOURCE = "patient-service";

    /** Exchange property: the id of the event to append. */
    private static final String EVENT_ID = "eventId";

    private final Clock clock = Clock.systemUTC();

    /** The position of an event in the log. */
    record AppendReceipt(String eventId, String topic, int partition, long offset) {}

    /**
     * Replaces the body by the event to append, with the key and headers of its record.
     *
     * @param patient the patient's id, which becomes the record key
     * @param body {@code {type, data}}
     * @throws ProblemException 400 with the violations
     */
    public void create(@Header("id") String patient, @Body byte[] body, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        JsonNode sent = Json.readObject(body);
        PatientEventType type = PatientEventValidator.validate(sent, patient);
        String id = request.idempotencyKey()
                .map(key -> NameBasedUuid.of(
                        request.caller().tenant(), request.caller().principal(), key, "patient.events"))
                .orElseGet(UUID::randomUUID)
                .toString();
        PatientEvent event = PatientEvent.newBuilder()
                .setMetadata(Metadata.newBuilder()
                        .setEventId(id)
                        .setEventType(type.code())
                        .setEventSource(SOURCE)
                        .setTimestamp(Instant.ofEpochMilli(clock.millis()))
                        .setCorrelationId(request.correlationId())
                        .setCausationId(request.requestId())
                        .setSecurity(Security.newBuilder()
                                .setPrincipal(request.caller().principal())
                                .setTenant(request.caller().tenant())
                                .build())
                        .build())
                .setPayload(payload(sent.path("data")))
                .build();
        Message message = OutgoingRecord.of(
                patient,
                event,
                request.correlationId(),
                request.requestId(),
                request.caller().tenant(),
                exchange);
        message.setHeader(RecordHeaders.EVENT_TYPE, type.code());
        message.setHeader(RecordHeaders.AGGREGATE_ID, patient);
        exchange.setProperty(EVENT_ID, id);
        exchange.setMessage(message);
    }

    /** The validator has accepted the data: each of its fields is a field of the payload. */
    private static PatientEventPayload payload(JsonNode data) {
        PatientEventPayload payload = new PatientEventPayload();
        data.properties()
                .forEach(field -> payload.put(field.getKey(), field.getValue().textValue()));
        return payload;
    }

    /** Replaces the body by the caller's receipt, once the broker has acknowledged the event. */
    public AppendReceipt receipt(
            @Header(KafkaConstants.KAFKA_RECORD_META) List<RecordMetadata> acknowledged, Exchange exchange) {
        RecordMetadata record = acknowledged.get(0);
        return new AppendReceipt(
                exchange.getProperty(EVENT_ID, String.class), record.topic(), record.partition(), record.offset());
    }
}
