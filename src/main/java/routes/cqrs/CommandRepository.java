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

/** What is known of every command, from before it is sent until long after it has taken effect. */
@Component("commandRepository")
class CommandRepository {

    /** Exchange property: the status of a command, when it had been handled before. */
    static final String HANDLED_BEFORE = "handledBefore";

    private static final String KNOWN =
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

    @Bean
    static RetentionRule unlockRetention(@Value("${event-broker.retention.commands}") Duration keep) {
        return new RetentionRule("medication_unlock", "unlocked_at", keep);
    }

    enum Status {
        ACCEPTED,
        APPLIED,
        REJECTED
    }

    /**
     * @param reason why it was rejected
     * @param version of the prescription, once the command is applied; null when there was no prescription to unlock
     */
    record Known(
            String commandId, String commandType, String prescriptionId, Status status, String reason, Long version) {}

    private record Accepted(Status status, byte[] fingerprint) {}

    /**
     * Notes a command that a caller sends, before it is sent. When it comes again it is sent again, for the first may have died before it did
     * that; only when it has been handled it is not, and the property {@code handledBefore} says so.
     *
     * @throws ProblemException 409 when the caller's {@code Idempotency-Key} was used for another request
     */
    public void accept(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        PrescriptionCommandFactory.Sent sent = PrescriptionCommandFactory.sent(exchange);
        byte[] fingerprint = exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class);
        String tenant = request.caller().tenant();
        int added = jdbc.sql(
                        """
                        insert into medication_command (tenant, command_id, command_type, prescription_id, status, fingerprint)
                        values (?, ?, ?, ?, 'ACCEPTED', ?) on conflict do nothing""")
                .params(tenant, sent.commandId(), sent.commandType(), sent.prescriptionId(), fingerprint)
                .update();
        if (added == 0) {
            Accepted first = jdbc.sql(
                            "select status, fingerprint from medication_command where tenant = ? and command_id = ?")
                    .params(tenant, sent.commandId())
                    .query(Accepted.class)
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
     * Whether a command has not been handled yet. Belongs into the transaction of its effect: another one with the same command waits here
     * until this one has ended.
     *
     * @throws ProblemException 409 when its id is that of another command
     */
    @Transactional(propagation = Propagation.MANDATORY)
    boolean markHandled(Command command) {
        jdbc.sql(
                        """
                        insert into medication_command (tenant, command_id, command_type, prescription_id, status)
                        values (?, ?, ?, ?, 'ACCEPTED') on conflict do nothing""")
                .params(command.metadata().tenant(), command.id(), command.type().commandType, command.prescriptionId())
                .update();
        Known known = jdbc.sql(KNOWN + " for update")
                .params(command.metadata().tenant(), command.id())
                .query(Known.class)
                .optional()
                .orElseThrow(() -> new OptimisticLockingFailureException("the command was purged meanwhile"));
        if (!known.commandType().equals(command.type().commandType)
                || !known.prescriptionId().equals(command.prescriptionId())) {
            throw new ProblemException(409, "/commandId: is that of another command");
        }
        return known.status() == Status.ACCEPTED;
    }

    /** Notes what has become of a command, in the same transaction. */
    @Transactional(propagation = Propagation.MANDATORY)
    void end(Command command, Status status, String reason, Long version) {
        jdbc.sql(
                        """
                        update medication_command set status = ?, reason = ?, version = ?
                        where tenant = ? and command_id = ? and status = 'ACCEPTED'""")
                .params(status.name(), reason, version, command.metadata().tenant(), command.id())
                .update();
    }

    /**
     * What has become of a command.
     *
     * @throws ProblemException 404 when the caller's tenant has no such command
     */
    public Known show(@Header("id") String id, Exchange exchange) {
        return jdbc.sql(KNOWN)
                .params(HttpRequest.of(exchange).caller().tenant(), id)
                .query(Known.class)
                .optional()
                .orElseThrow(() -> new ProblemException(404, "no such command"));
    }
}
