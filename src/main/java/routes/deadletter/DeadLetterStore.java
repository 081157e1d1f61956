package routes.deadletter;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Types;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.camel.Body;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.Assert;
import routes.platform.error.FailureClassifier;
import routes.platform.state.RetentionRule;

/** Records dead letters. One that comes twice is one; one that was sent again and fails again is the same letter as before. */
@Component("deadLetterStore")
class DeadLetterStore {

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterStore.class);

    private static final String INSERT =
            """
            insert into dead_letter (tenant, id, original_topic, original_partition, original_offset, key, value, headers,
                                     consumer_group, error_class, error_message, error_stack, failed_at, attempts, status)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
            on conflict (tenant, id) do nothing""";

    private static final String ATTEMPT =
            """
            where original_topic = :topic and key_digest = :key and reprocess_timestamp = :timestamp and value_digest = :value
            """;

    /** Where one of the two does not say whose it is, it is taken for the same. */
    private static final String OF_THE_GROUP =
            """
            and exists (select 1 from dead_letter l where l.seq = a.letter and coalesce(l.consumer_group = :group::text, true))
            """;

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final FailureClassifier failures;
    private final JdbcClient client;
    private final ValueCodec values;
    private final OriginalRecordFetcher originals;
    private final int maxAttempts;
    private final Clock clock = Clock.systemUTC();

    /** @param maxAttempts how often a letter may fail until it is parked */
    DeadLetterStore(
            JdbcTemplate jdbc,
            TransactionTemplate transaction,
            ValueCodec values,
            OriginalRecordFetcher originals,
            FailureClassifier failures,
            @Value("${event-broker.deadletter.max-attempts}") int maxAttempts) {
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.failures = failures;
        this.values = values;
        this.originals = originals;
        this.client = JdbcClient.create(jdbc);
        Assert.isTrue(maxAttempts >= 1, "event-broker.deadletter.max-attempts is less than 1");
        this.maxAttempts = maxAttempts;
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
     * Records dead letters in their order, all or none. One that the database takes in no way is recorded without its value: it must
     * neither hold up the others nor be passed over unseen.
     *
     * @return how many failures that is, without those that were recorded before
     */
    public int saveAll(@Body List<Message> records) {
        try {
            return record(records, Function.identity());
        } catch (RuntimeException e) {
            if (records.size() > 1 || failures.kind(e) != FailureClassifier.Kind.POISON) {
                throw e;
            }
            Message letter = records.get(0);
            LOG.warn(
                    "dead letter of {} partition {} offset {} is recorded without its value: {}",
                    letter.getHeader(KafkaConstants.TOPIC),
                    letter.getHeader(KafkaConstants.PARTITION),
                    letter.getHeader(KafkaConstants.OFFSET),
                    failures.describe(e));
            return record(records, DeadLetter::withoutValue);
        }
    }

    private int record(List<Message> records, Function<DeadLetter, DeadLetter> form) {
        return transaction.execute(status -> {
            int recorded = 0;
            for (Message message : records) {
                DeadLetter letter = originals.resolveTenant(DeadLetter.of(message, values, clock));
                if (store(form.apply(letter.isTooLarge() ? letter.withoutValue() : letter))) {
                    recorded++;
                }
            }
            return recorded;
        });
    }

    private boolean store(DeadLetter letter) {
        if (letter.reprocessTimestamp().isPresent()) {
            Optional<Boolean> counted = failedAgain(letter);
            if (counted.isPresent()) {
                return counted.get();
            }
            if (isOfAnAttempt(letter)) {
                // sent again for one group, it has failed in another: a letter of that one
                return insert(letter.withoutReprocessing());
            }
            LOG.warn(
                    "dead letter {} of {} says that it was reprocessed, but not from here: taken as a new one",
                    letter.id(),
                    letter.originalTopic());
        }
        return insert(letter);
    }

    private boolean insert(DeadLetter letter) {
        return insert(letter, letter.id())
                // an id that another letter has: nothing is lost, and nothing is taken for something else
                || !isKnown(letter, letter.id()) && insert(letter, letter.ownId());
    }

    /** Whether it is counted now; empty when it does not come from an attempt that was made here for its group. */
    private Optional<Boolean> failedAgain(DeadLetter letter) {
        List<Long> letters = attempt(
                        """
                        update dead_letter_attempt a
                        set failed_at = :failedAt, error_class = :class, error_message = :message, error_stack = :stack
                        """
                                + ATTEMPT + OF_THE_GROUP + "and failed_at is null returning letter",
                        letter)
                .param("failedAt", letter.failedAt())
                .param("class", letter.errorClass())
                .param("message", letter.errorMessage())
                .param("stack", letter.errorStack())
                .query(Long.class)
                .list();
        if (letters.isEmpty()) {
            return attempt("select letter from dead_letter_attempt a " + ATTEMPT + OF_THE_GROUP, letter)
                    .query((row, n) -> false)
                    .optional();
        }
        client.sql(
                        """
                        update dead_letter
                        set attempts = attempts + 1, status = case when attempts + 1 < :max then 'NEW' else 'PARKED' end,
                            failed_at = :failedAt, error_class = :class, error_message = :message, error_stack = :stack,
                            updated_at = now()
                        where seq = :letter""")
                .param("max", maxAttempts)
                .param("failedAt", letter.failedAt())
                .param("class", letter.errorClass())
                .param("message", letter.errorMessage())
                .param("stack", letter.errorStack())
                .param("letter", letters.get(0))
                .update();
        return Optional.of(true);
    }

    private boolean isOfAnAttempt(DeadLetter letter) {
        return attempt("select letter from dead_letter_attempt a " + ATTEMPT, letter)
                .query(Long.class)
                .optional()
                .isPresent();
    }

    private JdbcClient.StatementSpec attempt(String sql, DeadLetter letter) {
        return client.sql(sql)
                .param("topic", letter.originalTopic())
                .param("key", letter.keyDigest())
                .param("timestamp", letter.reprocessTimestamp().getAsLong())
                .param("value", letter.valueDigest())
                .param("group", letter.consumerGroup(), Types.VARCHAR);
    }

    private boolean isKnown(DeadLetter letter, String id) {
        return client.sql(
                        """
                        select exists (select 1 from dead_letter where tenant = ? and id = ? and original_topic = ?
                                       and key_digest = ? and value_digest = ? and consumer_group is not distinct from ?
                                       and original_partition is not distinct from ? and original_offset is not distinct from ?)""")
                .params(
                        letter.tenant(),
                        id,
                        letter.originalTopic(),
                        DeadLetter.digest(letter.key()),
                        DeadLetter.digest(letter.value()),
                        letter.consumerGroup(),
                        letter.originalPartition(),
                        letter.originalOffset())
                .query(Boolean.class)
                .single();
    }

    private boolean insert(DeadLetter letter, String id) {
        return jdbc.execute((Connection connection) -> {
            try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
                insert.setString(1, letter.tenant());
                insert.setString(2, id);
                insert.setString(3, letter.originalTopic());
                insert.setObject(4, letter.originalPartition(), Types.INTEGER);
                insert.setObject(5, letter.originalOffset(), Types.BIGINT);
                insert.setBytes(6, letter.key());
                insert.setBytes(7, letter.value());
                insert.setArray(8, connection.createArrayOf("bytea", letter.headers()));
                insert.setString(9, letter.consumerGroup());
                insert.setString(10, letter.errorClass());
                insert.setString(11, letter.errorMessage());
                insert.setString(12, letter.errorStack());
                insert.setLong(13, letter.failedAt());
                insert.setString(14, maxAttempts > 1 ? "NEW" : "PARKED");
                return insert.executeUpdate() == 1;
            }
        });
    }
}
