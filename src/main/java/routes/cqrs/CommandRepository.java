package routes.cqrs;

import java.security.MessageDigest;
import java.time.Duration;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.state.RetentionRule;

/** Stores each command with its status, from before it is sent until its retention ends. */
@Component("commandRepository")
class CommandRepository {

    /** Exchange property: the status of a command that the handler has already handled. */
    static final String HANDLED_BEFORE = "handledBefore";

    private static final String SELECT_COMMAND =
            """
            select command_id, command_type, prescription_id, status, reason, version
            from medication_command where tenant = ? and command_id = ?""";

    private final JdbcClient jdbc;

    CommandRepository(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Bean
    static RetentionRule commandRetention(@Value("${event-broker.retention.commands}") Duration keep) {
        return new RetentionRule("medication_command", "created_at", keep);
    }

    enum Status {
        ACCEPTED,
        APPLIED,
        REJECTED
    }

    /**
     * A command and its outcome.
     *
     * @param reason why the handler rejected it, else null
     * @param version of the prescription after an applied command; null when there was none to unlock
     */
    record CommandState(
            String commandId, String commandType, String prescriptionId, Status status, String reason, Long version) {}

    private record StoredRequest(Status status, byte[] fingerprint) {}

    /**
     * Stores a caller's command as ACCEPTED, before the route sends it. A repeat is sent again, because the first
     * request may have died before it sent the command. Once the command is handled, a repeat is not sent: the property
     * {@code handledBefore} has its status.
     *
     * @throws ProblemException 409 when the caller used the {@code Idempotency-Key} for another request
     */
    public void accept(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        PrescriptionCommandFactory.OutgoingCommand command = PrescriptionCommandFactory.outgoing(exchange);
        byte[] fingerprint = exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class);
        String tenant = request.caller().tenant();
        int added = jdbc.sql(
                        """
                        insert into medication_command (tenant, command_id, command_type, prescription_id, status, fingerprint)
                        values (?, ?, ?, ?, 'ACCEPTED', ?) on conflict do nothing""")
                .params(tenant, command.commandId(), command.commandType(), command.prescriptionId(), fingerprint)
                .update();
        if (added == 0) {
            StoredRequest first = jdbc.sql(
                            "select status, fingerprint from medication_command where tenant = ? and command_id = ?")
                    .params(tenant, command.commandId())
                    .query(StoredRequest.class)
                    .single();
            if (!MessageDigest.isEqual(first.fingerprint(), fingerprint)) {
                throw new ProblemException(409, "this Idempotency-Key was used for another request");
            }
            if (first.status() != Status.ACCEPTED) {
                exchange.setProperty(HANDLED_BEFORE, first.status());
            }
        }
    }

    /**
     * Locks the command's row until the transaction ends, and adds the row when a Kafka client sent the command. A
     * second transaction with the same command waits here.
     *
     * @return false when the command has been handled
     * @throws ProblemException 409 when another command has the same id
     */
    @Transactional(propagation = Propagation.MANDATORY)
    boolean lockIfUnhandled(Command command) {
        jdbc.sql(
                        """
                        insert into medication_command (tenant, command_id, command_type, prescription_id, status)
                        values (?, ?, ?, ?, 'ACCEPTED') on conflict do nothing""")
                .params(command.metadata().tenant(), command.id(), command.type().commandType, command.prescriptionId())
                .update();
        CommandState stored = jdbc.sql(SELECT_COMMAND + " for update")
                .params(command.metadata().tenant(), command.id())
                .query(CommandState.class)
                .optional()
                .orElseThrow(() -> new OptimisticLockingFailureException("retention has purged the command"));
        if (!stored.commandType().equals(command.type().commandType)
                || !stored.prescriptionId().equals(command.prescriptionId())) {
            throw new ProblemException(409, "/commandId: belongs to another command");
        }
        return stored.status() == Status.ACCEPTED;
    }

    /** Stores the outcome of a command, in the transaction that locked it. */
    @Transactional(propagation = Propagation.MANDATORY)
    void recordOutcome(Command command, Status status, String reason, Long version) {
        jdbc.sql(
                        """
                        update medication_command set status = ?, reason = ?, version = ?
                        where tenant = ? and command_id = ? and status = 'ACCEPTED'""")
                .params(status.name(), reason, version, command.metadata().tenant(), command.id())
                .update();
    }

    /**
     * Returns a command of the caller's tenant.
     *
     * @throws ProblemException 404 when the tenant has no such command
     */
    public CommandState show(@Header("id") String id, Exchange exchange) {
        return jdbc.sql(SELECT_COMMAND)
                .params(HttpRequest.of(exchange).caller().tenant(), id)
                .query(CommandState.class)
                .optional()
                .orElseThrow(() -> new ProblemException(404, "no such command"));
    }
}
