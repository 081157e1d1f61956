package routes.deadletter;

import java.sql.Types;
import java.util.List;
import java.util.Optional;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.util.Assert;

/** Counts a dead letter of a reprocessed record as the next failure of the dead letter that was reprocessed. */
@Component
class ReprocessAttempts {

    private static final String ATTEMPT =
            """
            where original_topic = :topic and key_digest = :key and reprocess_timestamp = :timestamp and value_digest = :value
            """;

    /** An unknown group matches every group. */
    private static final String OF_SAME_GROUP =
            """
            and exists (select 1 from dead_letter l where l.seq = a.letter and coalesce(l.consumer_group = :group::text, true))
            """;

    private final JdbcClient jdbc;
    private final int maxAttempts;

    /** @param maxAttempts failures until a dead letter is parked */
    ReprocessAttempts(JdbcClient jdbc, @Value("${event-broker.deadletter.max-attempts}") int maxAttempts) {
        this.jdbc = jdbc;
        Assert.isTrue(maxAttempts >= 1, "event-broker.deadletter.max-attempts is less than 1");
        this.maxAttempts = maxAttempts;
    }

    /** The status of a dead letter after its first failure. */
    DeadLetterFilter.Status firstStatus() {
        return maxAttempts > 1 ? DeadLetterFilter.Status.NEW : DeadLetterFilter.Status.PARKED;
    }

    /**
     * Records the failure of an attempt, and sets its dead letter to NEW or PARKED.
     *
     * @return false for a duplicate; empty when no attempt of this group matches
     */
    Optional<Boolean> recordFailure(DeadLetter deadLetter) {
        List<Long> reprocessed = attempt(
                        """
                        update dead_letter_attempt a
                        set failed_at = :failedAt, error_class = :class, error_message = :message, error_stack = :stack
                        """
                                + ATTEMPT + OF_SAME_GROUP + "and failed_at is null returning letter",
                        deadLetter)
                .param("failedAt", deadLetter.failedAt())
                .param("class", deadLetter.errorClass())
                .param("message", deadLetter.errorMessage())
                .param("stack", deadLetter.errorStack())
                .query(Long.class)
                .list();
        if (reprocessed.isEmpty()) {
            return attempt("select letter from dead_letter_attempt a " + ATTEMPT + OF_SAME_GROUP, deadLetter)
                    .query((row, n) -> false)
                    .optional();
        }
        jdbc.sql(
                        """
                        update dead_letter
                        set attempts = attempts + 1, status = case when attempts + 1 < :max then 'NEW' else 'PARKED' end,
                            failed_at = :failedAt, error_class = :class, error_message = :message, error_stack = :stack,
                            updated_at = now()
                        where seq = :letter""")
                .param("max", maxAttempts)
                .param("failedAt", deadLetter.failedAt())
                .param("class", deadLetter.errorClass())
                .param("message", deadLetter.errorMessage())
                .param("stack", deadLetter.errorStack())
                .param("letter", reprocessed.get(0))
                .update();
        return Optional.of(true);
    }

    /** Whether an attempt matches, of any group. */
    boolean exists(DeadLetter deadLetter) {
        return attempt("select letter from dead_letter_attempt a " + ATTEMPT, deadLetter)
                .query(Long.class)
                .optional()
                .isPresent();
    }

    private JdbcClient.StatementSpec attempt(String sql, DeadLetter deadLetter) {
        return jdbc.sql(sql)
                .param("topic", deadLetter.originalTopic())
                .param("key", deadLetter.keyDigest())
                .param("timestamp", deadLetter.reprocessTimestamp().getAsLong())
                .param("value", deadLetter.valueDigest())
                .param("group", deadLetter.consumerGroup(), Types.VARCHAR);
    }
}
