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

/** Makes commands from HTTP requests. Validates them like the commands of Kafka clients. */
@Component("prescriptionCommandFactory")
class PrescriptionCommandFactory {

    static final String TOPIC = "medication.commands";

    private static final String OUTGOING = "command";

    private final EventReader events;
    private final Clock clock = Clock.systemUTC();

    PrescriptionCommandFactory(AsyncApi contract, EventReader events) {
        contract.required(TOPIC, "cqrs");
        this.events = events;
    }

    record OutgoingCommand(String commandId, String commandType, String prescriptionId) {}

    /** Answers the caller after the broker has acknowledged the command. */
    record CommandReceipt(String message, String prescriptionId, String commandId) {}

    /**
     * Replaces the body, a prescription, by the command that creates it.
     *
     * @throws ProblemException 400 with the violations, or 413 when the prescription is too large
     */
    public void create(@Body byte[] body, Exchange exchange) {
        JsonNode prescription = Json.readObject(body);
        String id = prescription.path(Prescription.ID).asText(null);
        if (".".equals(id) || "..".equals(id)) {
            throw new ProblemException(List.of(new Violation("/id", "must not be . or .., which no path can name")));
        }
        command(Command.Type.CREATE, id == null ? newId("prescription", exchange) : id, prescription, exchange);
    }

    /** Replaces the body, a JSON merge patch, by the command that updates the prescription. */
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
        OutgoingCommand outgoing = new OutgoingCommand(newId(TOPIC, exchange), type.commandType, prescription);
        ObjectNode command = JsonNodeFactory.instance
                .objectNode()
                .put("commandId", outgoing.commandId())
                .put("commandType", outgoing.commandType())
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
        Prescription.exceededLimit(payload).ifPresent(limit -> {
            throw new ProblemException(413, "the prescription is larger than " + limit);
        });
        exchange.setProperty(OUTGOING, outgoing);
        exchange.setMessage(message);
    }

    /** Derives the id from client and {@code Idempotency-Key}: a repeat has the same id. Else random. */
    private static String newId(String of, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        return request.idempotencyKey()
                .map(key -> NameBasedUuid.of(
                        request.caller().tenant(), request.caller().principal(), key, of))
                .orElseGet(UUID::randomUUID)
                .toString();
    }

    static OutgoingCommand outgoing(Exchange exchange) {
        return exchange.getProperty(OUTGOING, OutgoingCommand.class);
    }

    /** Replaces the body by the caller's receipt. */
    public CommandReceipt receipt(Exchange exchange) {
        OutgoingCommand sent = outgoing(exchange);
        return new CommandReceipt("Prescription command accepted", sent.prescriptionId(), sent.commandId());
    }
}
