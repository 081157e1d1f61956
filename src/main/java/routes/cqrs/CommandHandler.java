package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.util.Optional;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.Event;
import routes.platform.event.OutgoingRecord;
import routes.platform.outbox.Outbox;

/** The write side: applies commands, once each, or refuses them. A refusal is an answer, and no failure. */
@Component("commandHandler")
class CommandHandler {

    /** Where the events go. */
    static final String TOPIC = "medication.events";

    /** Exchange properties, for the metric: what was handled, and what became of it. */
    private static final String TYPE = "commandType";

    private static final String STATUS = "commandStatus";
    private static final String REPEATED = "REPEATED";

    private final CommandRepository log;
    private final JdbcClient jdbc;
    private final Clock clock = Clock.systemUTC();

    CommandHandler(CommandRepository log, JdbcClient jdbc) {
        this.log = log;
        this.jdbc = jdbc;
    }

    /**
     * Replaces the body by the event that follows from the command, addressed; null when none does, because it is refused or was handled before.
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void handle(@Body Event<JsonNode> event, Exchange exchange) {
        Command command =
                Command.of(event, "true".equals(exchange.getMessage().getHeader(DeadLetterHeaders.REPROCESSED)));
        exchange.getMessage().setBody(null);
        exchange.setProperty(TYPE, command.type().commandType);
        exchange.setProperty(STATUS, REPEATED);
        if (!log.markHandled(command)) {
            return;
        }
        Optional<Prescription> known = find(command);
        long now = clock.millis();
        Prescription.Decision decision =
                Prescription.decide(command, known, command.type() == Command.Type.LOCK && hasUnlocked(command), now);
        if (decision instanceof Prescription.Rejected rejected) {
            end(command, CommandRepository.Status.REJECTED, rejected.reason(), null, exchange);
        } else if (decision instanceof Prescription.Applied applied) {
            Prescription after = applied.prescription();
            if (command.type() == Command.Type.UNLOCK) {
                noteUnlock(command);
            }
            if (after != null) {
                store(command, after, known.isEmpty());
            }
            end(command, CommandRepository.Status.APPLIED, null, after == null ? null : after.version(), exchange);
            exchange.setMessage(event(command, event.payload().path("commandId").textValue(), after, now, exchange));
        }
    }

    private void end(Command command, CommandRepository.Status status, String reason, Long version, Exchange exchange) {
        log.end(command, status, reason, version);
        exchange.setProperty(STATUS, status);
    }

    /** The row is locked: another instance that has the same partition for a moment waits, and sees what became of it. */
    private Optional<Prescription> find(Command command) {
        return jdbc.sql(
                        """
                        select content, locked_by from medication_prescription
                        where tenant = ? and prescription_id = ? for update""")
                .params(command.metadata().tenant(), command.prescriptionId())
                .query(CommandHandler::prescription)
                .optional();
    }

    private static Prescription prescription(ResultSet row, int n) throws SQLException {
        return new Prescription(
                (ObjectNode) Json.readObject(row.getString("content").getBytes(StandardCharsets.UTF_8)),
                row.getString("locked_by"));
    }

    private void store(Command command, Prescription prescription, boolean isNew) {
        int stored = jdbc.sql(
                        isNew
                                ? """
                                insert into medication_prescription (content, locked_by, tenant, prescription_id) values (?, ?, ?, ?)
                                on conflict do nothing"""
                                : """
                                update medication_prescription set content = ?, locked_by = ?
                                where tenant = ? and prescription_id = ?""")
                .params(
                        new String(Json.write(prescription.content()), StandardCharsets.UTF_8),
                        prescription.lockedBy(),
                        command.metadata().tenant(),
                        command.prescriptionId())
                .update();
        if (stored == 0) {
            // no row could be locked; the next try sees what the other transaction has made
            throw new OptimisticLockingFailureException("the prescription was created meanwhile");
        }
    }

    private boolean hasUnlocked(Command command) {
        return jdbc.sql("select 1 from medication_unlock where tenant = ? and prescription_id = ? and saga_id = ?")
                .params(command.metadata().tenant(), command.prescriptionId(), command.sagaId())
                .query(Integer.class)
                .optional()
                .isPresent();
    }

    private void noteUnlock(Command command) {
        jdbc.sql(
                        """
                        insert into medication_unlock (tenant, prescription_id, saga_id) values (?, ?, ?)
                        on conflict do nothing""")
                .params(command.metadata().tenant(), command.prescriptionId(), command.sagaId())
                .update();
    }

    /** @param sentId the commandId as it was sent: whoever waits for the event compares texts */
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
