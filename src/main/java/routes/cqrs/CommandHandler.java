package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Clock;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.Event;
import routes.platform.event.OutgoingRecord;
import routes.platform.outbox.Outbox;

/** Applies each command once, or rejects it. A rejection is an outcome, not a failure. */
@Component("commandHandler")
class CommandHandler {

    /** The topic of the events that follow from commands. */
    static final String TOPIC = "medication.events";

    /** Exchange properties that the command counter uses as tags. */
    private static final String TYPE = "commandType";

    private static final String STATUS = "commandStatus";
    private static final String REPEATED = "REPEATED";

    private final CommandRepository commands;
    private final PrescriptionRepository prescriptions;
    private final Clock clock = Clock.systemUTC();

    CommandHandler(CommandRepository commands, PrescriptionRepository prescriptions) {
        this.commands = commands;
        this.prescriptions = prescriptions;
    }

    /**
     * Replaces the body by the outgoing event. The body is null when no event follows: the command is rejected, or the
     * handler has handled it before.
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void handle(@Body Event<JsonNode> event, Exchange exchange) {
        Command command =
                Command.of(event, "true".equals(exchange.getMessage().getHeader(DeadLetterHeaders.REPROCESSED)));
        exchange.getMessage().setBody(null);
        exchange.setProperty(TYPE, command.type().commandType);
        exchange.setProperty(STATUS, REPEATED);
        if (!commands.lockIfUnhandled(command)) {
            return;
        }
        Optional<Prescription> known = prescriptions.lock(command);
        long now = clock.millis();
        Prescription.Decision decision = Prescription.decide(
                command, known, command.type() == Command.Type.LOCK && prescriptions.hasUnlocked(command), now);
        if (decision instanceof Prescription.Rejected rejected) {
            recordOutcome(command, CommandRepository.Status.REJECTED, rejected.reason(), null, exchange);
        } else if (decision instanceof Prescription.Applied applied) {
            Prescription after = applied.prescription();
            if (command.type() == Command.Type.UNLOCK) {
                prescriptions.recordUnlock(command);
            }
            if (after != null) {
                prescriptions.store(command, after, known.isEmpty());
            }
            recordOutcome(
                    command, CommandRepository.Status.APPLIED, null, after == null ? null : after.version(), exchange);
            exchange.setMessage(event(command, event.payload().path("commandId").textValue(), after, now, exchange));
        }
    }

    private void recordOutcome(
            Command command, CommandRepository.Status status, String reason, Long version, Exchange exchange) {
        commands.recordOutcome(command, status, reason, version);
        exchange.setProperty(STATUS, status);
    }

    /** @param sentId the commandId exactly as sent: its sender compares texts to find the event */
    static Message event(Command command, String sentId, Prescription after, long now, Exchange exchange) {
        String id = NameBasedUuid.of(TOPIC, command.metadata().tenant(), command.id())
                .toString();
        ObjectNode payload = after == null
                ? JsonNodeFactory.instance.objectNode().put(Prescription.ID, command.prescriptionId())
                : after.content().deepCopy();
        if (command.sagaId() != null) {
            payload.set(Command.SAGA_ID, command.payload().path(Command.SAGA_ID));
        }
        ObjectNode event = JsonNodeFactory.instance
                .objectNode()
                .put("eventId", id)
                .put("eventType", command.type().eventType)
                .put("aggregateId", command.prescriptionId())
                .put("timestamp", after == null ? now : after.updatedAt());
        event.set("payload", payload);
        event.put("commandId", sentId);
        Message message = OutgoingRecord.of(
                command.prescriptionId(),
                Json.write(event),
                command.metadata().correlationId(),
                sentId,
                command.metadata().tenant(),
                exchange);
        message.setHeader(Outbox.EVENT_ID, id);
        return message;
    }
}
