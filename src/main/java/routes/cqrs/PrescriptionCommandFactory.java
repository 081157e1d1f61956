package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Clock;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.Violation;
import routes.platform.contract.AsyncApi;
import routes.platform.error.ProblemException;
import routes.platform.error.SchemaViolationException;
import routes.platform.event.EventReader;
import routes.platform.event.OutgoingRecord;
import routes.platform.http.HttpRequest;

/** Makes commands of what callers send, checked as those of Kafka clients are. */
@Component("prescriptionCommandFactory")
class PrescriptionCommandFactory {

    static final String TOPIC = "medication.commands";

    private static final String SENT = "command";

    private final EventReader events;
    private final Clock clock = Clock.systemUTC();

    PrescriptionCommandFactory(AsyncApi contract, EventReader events) {
        contract.required(TOPIC, "cqrs");
        this.events = events;
    }

    /** A command that is about to be sent. */
    record Sent(String commandId, String commandType, String prescriptionId) {}

    /** What the caller gets once the broker has acknowledged the command. */
    record Receipt(String message, String prescriptionId, String commandId) {}

    /**
     * Replaces the body, a prescription, by the command that creates it.
     *
     * @throws ProblemException 400 names what is wrong with it and where, 413 when it is too large
     */
    public void create(@Body byte[] body, Exchange exchange) {
        JsonNode prescription = Json.readObject(body);
        String id = prescription.path(Prescription.ID).asText(null);
        if (".".equals(id) || "..".equals(id)) {
            throw new ProblemException(List.of(new Violation("/id", "must not be . or .., which no path can name")));
        }
        command(Command.Type.CREATE, id == null ? id("prescription", exchange) : id, prescription, exchange);
    }

    /** Replaces the body, what is to be changed, by the command that changes it. */
    public void update(@Header("id") String prescription, @Body byte[] body, Exchange exchange) {
        command(Command.Type.UPDATE, prescription, Json.readObject(body), exchange);
    }

    /** Replaces the body, which may be empty, by the command that cancels the prescription. */
    public void cancel(@Header("id") String prescription, @Body byte[] body, Exchange exchange) {
        command(
                Command.Type.CANCEL,
                prescription,
                body == null || body.length == 0 ? JsonNodeFactory.instance.objectNode() : Json.readObject(body),
                exchange);
    }

    private void command(Command.Type type, String prescription, JsonNode payload, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Sent sent = new Sent(id(TOPIC, exchange), type.commandType, prescription);
        ObjectNode command = JsonNodeFactory.instance
                .objectNode()
                .put("commandId", sent.commandId())
                .put("commandType", sent.commandType())
                .put("aggregateId", prescription)
                .put("timestamp", clock.millis());
        command.set("payload", payload);
        command.put("userId", request.caller().principal());
        byte[] value = Json.write(command);
        Message message = OutgoingRecord.of(
                prescription,
                value,
                request.correlationId(),
                request.requestId(),
                request.caller().tenant(),
                exchange);
        try {
            events.requireReadable(value, TOPIC, message.getHeaders());
        } catch (SchemaViolationException e) {
            throw e.below("/payload");
        }
        Prescription.exceeded(payload).ifPresent(limit -> {
            throw new ProblemException(413, "the prescription is larger than " + limit);
        });
        exchange.setProperty(SENT, sent);
        exchange.setMessage(message);
    }

    /** With an {@code Idempotency-Key} it follows from client and key, so that a repeat is the same command. */
    private static String id(String of, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        return request.idempotencyKey()
                .map(key -> NameBasedUuid.of(
                        request.caller().tenant(), request.caller().principal(), key, of))
                .orElseGet(UUID::randomUUID)
                .toString();
    }

    static Sent sent(Exchange exchange) {
        return exchange.getProperty(SENT, Sent.class);
    }

    /** Replaces the body by what the caller gets. */
    public Receipt receipt(Exchange exchange) {
        Sent sent = sent(exchange);
        return new Receipt("Prescription command accepted", sent.prescriptionId(), sent.commandId());
    }
}
