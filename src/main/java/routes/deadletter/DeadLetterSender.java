package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.sql.Types;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.outbox.Outbox;
import routes.platform.outbox.OutboxRecord;

/**
 * Sends dead letters to their original topics. One transaction marks a dead letter, saves the attempt and adds the
 * record to the outbox. The attempt commits before a consumer can read the record, so a second failure finds the
 * attempt.
 */
@Component
class DeadLetterSender {

    /** Limits {@code original-error}, so that the header does not make the record too large for its topic. */
    private static final int MAX_ERROR = 256;

    private final JdbcClient jdbc;
    private final Outbox outbox;
    private final AsyncApi contract;
    private final ValueCodec values;
    private final TopicLimits limits;
    private final Clock clock = Clock.systemUTC();

    DeadLetterSender(JdbcClient jdbc, Outbox outbox, AsyncApi contract, ValueCodec values, TopicLimits limits) {
        this.jdbc = jdbc;
        this.outbox = outbox;
        this.contract = contract;
        this.values = values;
        this.limits = limits;
    }

    /**
     * The principal who requests the reprocessing.
     *
     * @param reason null when the principal gave none
     * @param job null for a single dead letter
     */
    record Requester(String principal, String reason, UUID job) {}

    /** The reason why a dead letter cannot be sent, whatever its status; empty when it can. */
    Optional<String> rejection(StoredDeadLetter deadLetter) {
        if (deadLetter.omitted() != null) {
            return Optional.of("the dead letter is without its value: it can only be reprocessed by itself");
        }
        Optional<Channel> channel = contract.channel(deadLetter.topic());
        if (channel.isEmpty()) {
            return Optional.of("the original topic is not in the contract");
        }
        List<Header> headers = headers(deadLetter, clock.millis());
        if (headers.stream().anyMatch(header -> header.key().indexOf('\0') >= 0)) {
            return Optional.of("the name of a record header has a character that cannot be kept");
        }
        return limits.rejection(deadLetter.key(), deadLetter.value(), headers, channel.get());
    }

    /**
     * Sends dead letters that the transaction has locked and that have no {@link #rejection}. Records of one key keep
     * the order of the list.
     *
     * @param edited the new value of a single dead letter; null when nobody has edited it
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void send(List<StoredDeadLetter> deadLetters, Requester requester, byte[] edited) {
        Map<Long, Long> timestamps = new HashMap<>();
        // every sender locks in this order, so two senders cannot deadlock
        deadLetters.stream()
                .sorted(Comparator.comparing(StoredDeadLetter::topic)
                        .thenComparing(
                                StoredDeadLetter::key, Comparator.nullsFirst((a, b) -> Arrays.compareUnsigned(a, b)))
                        .thenComparing(StoredDeadLetter::seq))
                .forEach(deadLetter -> timestamps.put(deadLetter.seq(), saveAttempt(deadLetter, requester, edited)));
        jdbc.sql("update dead_letter set status = 'REPROCESSED', updated_at = now() where seq in (:letters)")
                .param(
                        "letters",
                        deadLetters.stream().map(StoredDeadLetter::seq).toList())
                .update();
        outbox.addAll(deadLetters.stream()
                .map(deadLetter -> outboxRecord(deadLetter, timestamps.get(deadLetter.seq())))
                .collect(Collectors.toList()));
    }

    /** @return a timestamp that no other attempt of the same topic and key has, epoch milliseconds */
    private long saveAttempt(StoredDeadLetter deadLetter, Requester requester, byte[] edited) {
        Optional<Long> saved;
        do {
            // empty when another transaction has taken this timestamp meanwhile: the next one is free
            saved = jdbc.sql(
                            """
                            insert into dead_letter_attempt (tenant, letter, original_topic, key_digest, value_digest,
                                                             edited_value, sent_by, reason, job, reprocess_timestamp)
                            select :tenant, :letter, :topic, :key, :value, :edited, :principal, :reason, :job,
                                   greatest(:now, (select max(reprocess_timestamp) + 1 from dead_letter_attempt
                                                   where original_topic = :topic and key_digest = :key))
                            on conflict (original_topic, key_digest, reprocess_timestamp) do nothing
                            returning reprocess_timestamp""")
                    .param("tenant", deadLetter.tenant())
                    .param("letter", deadLetter.seq())
                    .param("topic", deadLetter.topic())
                    .param("key", DeadLetter.digest(deadLetter.key()))
                    .param("value", DeadLetter.digest(deadLetter.value()))
                    .param("edited", edited, Types.BINARY)
                    .param("principal", requester.principal())
                    .param("reason", requester.reason(), Types.VARCHAR)
                    .param("job", requester.job(), Types.OTHER)
                    .param("now", clock.millis())
                    .query(Long.class)
                    .optional();
        } while (saved.isEmpty());
        return saved.get();
    }

    private OutboxRecord outboxRecord(StoredDeadLetter deadLetter, long timestamp) {
        return new OutboxRecord(
                deadLetter.topic(),
                deadLetter.key(),
                deadLetter.value(),
                headers(deadLetter, timestamp),
                values.identity(deadLetter.value(), deadLetter.topic())
                        .eventId()
                        .orElse(null),
                deadLetter.tenant());
    }

    /** The original headers, followed by those that mark a reprocessed record. */
    private static List<Header> headers(StoredDeadLetter deadLetter, long timestamp) {
        List<Header> headers = new ArrayList<>(deadLetter.headers());
        String error = deadLetter.errorMessage();
        headers.add(header(DeadLetterHeaders.REPROCESSED, "true"));
        headers.add(header(DeadLetterHeaders.ORIGINAL_ERROR, error.substring(0, Math.min(error.length(), MAX_ERROR))));
        headers.add(header(DeadLetterHeaders.REPROCESS_TIMESTAMP, String.valueOf(timestamp)));
        return headers;
    }

    private static RecordHeader header(String name, String text) {
        return new RecordHeader(name, text.getBytes(StandardCharsets.UTF_8));
    }
}
