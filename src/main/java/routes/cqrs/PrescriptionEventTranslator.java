package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.SchemaViolationException;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;
import routes.platform.event.OutgoingRecord;
import routes.platform.event.RecordHeaders;

/** Translates {@code medication.events} into the public events {@code medication.prescription.*}. */
@Component("prescriptionEventTranslator")
class PrescriptionEventTranslator {

    private static final String PRINCIPAL = "system";

    private final Channel created;
    private final Channel updated;

    PrescriptionEventTranslator(AsyncApi contract) {
        created = contract.required("medication.prescription.created", "cqrs");
        updated = contract.required("medication.prescription.updated", "cqrs");
    }

    /**
     * Replaces the body by the public event. Its id derives from the source event's id, so a repeat has the same id.
     * Removes the header {@code event-type} when there is nothing to publish: an event without a version does not come
     * from a command.
     */
    public void translate(@Body Event<JsonNode> event, Exchange exchange) {
        EventMetadata metadata = event.metadata();
        Channel channel = metadata.eventType().equals(Command.Type.CREATE.eventType) ? created : updated;
        JsonNode payload = event.payload().path("payload");
        exchange.getMessage().removeHeader(RecordHeaders.EVENT_TYPE);
        if (!payload.has(Prescription.VERSION)) {
            return;
        }
        ObjectNode envelope = JsonNodeFactory.instance.objectNode();
        envelope.putObject("metadata")
                .put(
                        "eventId",
                        NameBasedUuid.of(channel.topic(), metadata.eventId()).toString())
                .put("eventType", channel.message())
                .put("eventSource", channel.eventSource())
                .put("timestamp", metadata.timestamp())
                .put("correlationId", metadata.correlationId())
                .put("causationId", metadata.eventId())
                .put("version", "1.0.0")
                .putObject("security")
                .put("principal", PRINCIPAL)
                .put("tenant", metadata.tenant());
        envelope.set("payload", ((ObjectNode) payload).deepCopy().without(Command.SAGA_ID));
        SchemaViolationException.check(channel.schema().violations(envelope));
        Message message = OutgoingRecord.of(
                envelope.at(channel.keyPointer()).asText(),
                Json.write(envelope),
                metadata.correlationId(),
                metadata.eventId(),
                metadata.tenant(),
                exchange);
        message.setHeader(RecordHeaders.CONTENT_TYPE, "application/json");
        message.setHeader(RecordHeaders.EVENT_SOURCE, channel.eventSource());
        message.setHeader(RecordHeaders.EVENT_TYPE, channel.message());
        exchange.setMessage(message);
    }
}
