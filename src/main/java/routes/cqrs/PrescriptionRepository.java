package routes.cqrs;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.state.RetentionRule;

/** Stores the write side's prescriptions, and which saga has unlocked which of them. */
@Component
class PrescriptionRepository {

    private final JdbcClient jdbc;

    PrescriptionRepository(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Bean
    static RetentionRule unlockRetention(@Value("${event-broker.retention.commands}") Duration keep) {
        return new RetentionRule("medication_unlock", "unlocked_at", keep);
    }

    /**
     * Reads and locks the command's prescription. During a rebalance two instances may have the same partition: the
     * second waits here and then sees the outcome of the first.
     */
    Optional<Prescription> lock(Command command) {
        return jdbc.sql(
                        """
                        select content, locked_by from medication_prescription
                        where tenant = ? and prescription_id = ? for update""")
                .params(command.metadata().tenant(), command.prescriptionId())
                .query(PrescriptionRepository::prescription)
                .optional();
    }

    private static Prescription prescription(ResultSet row, int n) throws SQLException {
        return new Prescription(
                (ObjectNode) Json.readObject(row.getString("content").getBytes(StandardCharsets.UTF_8)),
                row.getString("locked_by"));
    }

    /** @throws OptimisticLockingFailureException when another transaction has created it: retry */
    void store(Command command, Prescription prescription, boolean isNew) {
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
            // there was no row to lock; the retry sees the prescription that the other transaction created
            throw new OptimisticLockingFailureException("another transaction has created the prescription");
        }
    }

    /** Returns whether the command's saga has already unlocked the prescription. */
    boolean hasUnlocked(Command command) {
        return jdbc.sql("select 1 from medication_unlock where tenant = ? and prescription_id = ? and saga_id = ?")
                .params(command.metadata().tenant(), command.prescriptionId(), command.sagaId())
                .query(Integer.class)
                .optional()
                .isPresent();
    }

    void recordUnlock(Command command) {
        jdbc.sql(
                        """
                        insert into medication_unlock (tenant, prescription_id, saga_id) values (?, ?, ?)
                        on conflict do nothing""")
                .params(command.metadata().tenant(), command.prescriptionId(), command.sagaId())
                .update();
    }
}
