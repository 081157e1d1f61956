package routes.deadletter;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Types;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.apache.camel.Body;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.error.FailureClassifier;
import routes.platform.state.RetentionRule;

/** Saves dead letters. A duplicate has no second effect; a second failure counts for the same dead letter. */
@Component("deadLetterStore")
class DeadLetterStore {

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterStore.class);

    private static final String INSERT =
            """
            insert into dead_letter (tenant, id, original_topic, original_partition, original_offset, key, value, headers,
                                     consumer_group, error_class, error_message, error_stack, failed_at, attempts, status)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
            on conflict (tenant, id) do nothing""";

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final DeadLetterParser parser;
    private final OriginalRecordFetcher originals;
    private final ReprocessAttempts attempts;
    private final FailureClassifier failures;

    DeadLetterStore(
            JdbcTemplate jdbc,
            TransactionTemplate transaction,
            DeadLetterParser parser,
            OriginalRecordFetcher originals,
            ReprocessAttempts attempts,
            FailureClassifier failures) {
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.parser = parser;
        this.originals = originals;
        this.attempts = attempts;
        this.failures = failures;
    }

    @Bean
    static RetentionRule deadLetterRetention(@Value("${event-broker.retention.dead-letters}") Duration keep) {
        return new RetentionRule("dead_letter", "updated_at", keep);
    }

    @Bean
    static RetentionRule reprocessJobRetention(@Value("${event-broker.retention.dead-letters}") Duration keep) {
        return new RetentionRule("reprocess_job", "updated_at", keep, Map.of("reprocess_job_letter", "job"));
    }

    /**
     * Saves dead letters in their order, all or none. A single one that the database rejects is saved without its
     * value, so it neither blocks the others nor gets lost.
     *
     * @return the count of new failures, without duplicates
     */
    public int saveAll(@Body List<Message> records) {
        try {
            return saveAll(records, UnaryOperator.identity());
        } catch (RuntimeException e) {
            if (records.size() > 1 || failures.kind(e) != FailureClassifier.Kind.POISON) {
                throw e;
            }
            Message message = records.get(0);
            LOG.warn(
                    "dead letter of {} partition {} offset {} is recorded without its value: {}",
                    message.getHeader(KafkaConstants.TOPIC),
                    message.getHeader(KafkaConstants.PARTITION),
                    message.getHeader(KafkaConstants.OFFSET),
                    failures.describe(e));
            return saveAll(records, DeadLetter::withoutValue);
        }
    }

    private int saveAll(List<Message> records, UnaryOperator<DeadLetter> reduction) {
        return transaction.execute(status -> {
            int saved = 0;
            for (Message message : records) {
                DeadLetter deadLetter = originals.resolveTenant(parser.parse(message));
                if (save(reduction.apply(deadLetter.isTooLarge() ? deadLetter.withoutValue() : deadLetter))) {
                    saved++;
                }
            }
            return saved;
        });
    }

    private boolean save(DeadLetter deadLetter) {
        if (deadLetter.reprocessTimestamp().isPresent()) {
            Optional<Boolean> counted = attempts.recordFailure(deadLetter);
            if (counted.isPresent()) {
                return counted.get();
            }
            if (attempts.exists(deadLetter)) {
                // the record was reprocessed for one group and failed in another: a new dead letter of that group
                return insert(deadLetter.withoutReprocessing());
            }
            LOG.warn(
                    "dead letter {} of {} claims a reprocessing that is unknown here: recorded as a new dead letter",
                    deadLetter.id(),
                    deadLetter.originalTopic());
        }
        return insert(deadLetter);
    }

    private boolean insert(DeadLetter deadLetter) {
        return insert(deadLetter, deadLetter.id())
                // another dead letter has this id: the derived id tells the two apart
                || !isDuplicate(deadLetter) && insert(deadLetter, deadLetter.derivedId());
    }

    private boolean isDuplicate(DeadLetter deadLetter) {
        return Boolean.TRUE.equals(jdbc.queryForObject(
                """
                select exists (select 1 from dead_letter where tenant = ? and id = ? and original_topic = ?
                               and key_digest = ? and value_digest = ? and consumer_group is not distinct from ?
                               and original_partition is not distinct from ? and original_offset is not distinct from ?)""",
                Boolean.class,
                deadLetter.tenant(),
                deadLetter.id(),
                deadLetter.originalTopic(),
                DeadLetter.digest(deadLetter.key()),
                DeadLetter.digest(deadLetter.value()),
                deadLetter.consumerGroup(),
                deadLetter.originalPartition(),
                deadLetter.originalOffset()));
    }

    private boolean insert(DeadLetter deadLetter, String id) {
        return jdbc.execute((Connection connection) -> {
            try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
                insert.setString(1, deadLetter.tenant());
                insert.setString(2, id);
                insert.setString(3, deadLetter.originalTopic());
                insert.setObject(4, deadLetter.originalPartition(), Types.INTEGER);
                insert.setObject(5, deadLetter.originalOffset(), Types.BIGINT);
                insert.setBytes(6, deadLetter.key());
                insert.setBytes(7, deadLetter.value());
                insert.setArray(8, connection.createArrayOf("bytea", deadLetter.headers()));
                insert.setString(9, deadLetter.consumerGroup());
                insert.setString(10, deadLetter.errorClass());
                insert.setString(11, deadLetter.errorMessage());
                insert.setString(12, deadLetter.errorStack());
                insert.setLong(13, deadLetter.failedAt());
                insert.setString(14, attempts.firstStatus().name());
                return insert.executeUpdate() == 1;
            }
        });
    }
}
