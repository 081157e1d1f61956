package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
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
import org.apache.camel.Exchange;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.outbox.Outbox;
import routes.platform.outbox.OutboxRecord;

/**
 * Sends letters again. In one transaction a letter is marked, its attempt noted and its record added to the outbox: all of it happens,
 * once, or nothing. The attempt is there before its record can be read, so a second failure always finds it.
 */
@Component("deadLetterReprocessor")
class DeadLetterReprocessor {

    /** Of {@code original-error}, so that it does not make a record too large for its topic. */
    private static final int MAX_ERROR = 256;

    private final JdbcClient jdbc;
    private final Outbox outbox;
    private final AsyncApi contract;
    private final ValueFormats values;
    private final TopicLimits limits;
    private final EditPolicy edits;
    private final Clock clock = Clock.systemUTC();

    DeadLetterReprocessor(
            JdbcClient jdbc,
            Outbox outbox,
            AsyncApi contract,
            ValueFormats values,
            TopicLimits limits,
            EditPolicy edits) {
        this.jdbc = jdbc;
        this.outbox = outbox;
        this.contract = contract;
        this.values = values;
        this.limits = limits;
        this.edits = edits;
    }

    /**
     * A letter to send.
     *
     * @param value what is sent: the last edit, else what the dead letter has; null is a tombstone
     * @param headers of the record as it was, in their order; a name may repeat, a value may be null
     * @param omitted what the dead letter lacks of its record; null when nothing
     */
    record Sendable(
            long seq,
            String id,
            String tenant,
            String topic,
            byte[] key,
            byte[] value,
            List<Header> headers,
            String errorMessage,
            DeadLetterFilter.Status status,
            int attempts,
            OmittedValue omitted) {

        private static final String EDITED =
                """
                (select edited_value from dead_letter_attempt a
                 where a.letter = seq and a.edited_value is not null order by reprocess_timestamp desc limit 1)""";

        /** What is sent. */
        static final String VALUE = "coalesce(" + EDITED + ", value)";

        static final String COLUMNS = columns(VALUE);

        static String columns(String value) {
            return """
                    seq, id, tenant, original_topic, original_partition, original_offset, key, headers, error_message, status,
                    attempts, %s is not null as edited, %s as value"""
                    .formatted(EDITED, value);
        }

        static Sendable of(ResultSet row, int n) throws SQLException {
            byte[][] inLetter = (byte[][]) row.getArray("headers").getArray();
            return new Sendable(
                    row.getLong("seq"),
                    row.getString("id"),
                    row.getString("tenant"),
                    row.getString("original_topic"),
                    row.getBytes("key"),
                    row.getBytes("value"),
                    original(inLetter),
                    row.getString("error_message"),
                    DeadLetterFilter.Status.valueOf(row.getString("status")),
                    row.getInt("attempts"),
                    OmittedValue.of(
                            inLetter,
                            row.getBoolean("edited"),
                            row.getObject("original_partition", Integer.class),
                            row.getObject("original_offset", Long.class)));
        }

        /** The headers of the record whose dead letter has these: name, value, name, value … */
        private static List<Header> original(byte[][] inLetter) {
            List<Header> headers = new ArrayList<>(inLetter.length / 2);
            for (int i = 0; i < inLetter.length; i += 2) {
                byte[] value = inLetter[i + 1];
                DeadLetterHeaders.original(new String(inLetter[i], StandardCharsets.UTF_8))
                        .ifPresent(name -> headers.add(new RecordHeader(name, value)));
            }
            return headers;
        }

        /** With a new value. */
        Sendable with(byte[] edited) {
            return with(key, edited, headers, omitted == null ? null : omitted.withoutValue());
        }

        /** With what its dead letter lacks. */
        Sendable with(ConsumerRecord<byte[], byte[]> record) {
            return with(
                    record.key(),
                    omitted.value() ? record.value() : value,
                    List.of(record.headers().toArray()),
                    null);
        }

        private Sendable with(
                byte[] otherKey, byte[] otherValue, List<Header> otherHeaders, OmittedValue stillOmitted) {
            return new Sendable(
                    seq,
                    id,
                    tenant,
                    topic,
                    otherKey,
                    otherValue,
                    otherHeaders,
                    errorMessage,
                    status,
                    attempts,
                    stillOmitted);
        }
    }

    /** Who sends letters, and why; job is null for a single one. */
    record Sender(String principal, String reason, UUID job) {}

    /** What became of a letter. */
    record Reprocessed(String id, DeadLetterFilter.Status status, int attempts) {}

    /**
     * Sends one letter again. The body, when there is one, is the whole new value of the record, in JSON; the key stays. What the letter
     * lacks of its record is taken from {@link OmittedValueFetcher#RECORD}.
     *
     * @throws ProblemException 404 when the caller has no such letter; 409 when it is not NEW, or PARKED and not edited, or its topic
     *     would not take it; 400 when the new value is not what its topic's consumers can read, or speaks for somebody else; 403 when the caller
     *     may not write it
     * @throws RegistryUnavailableException when a schema is not known here and the registry does not answer
     */
    @Transactional(rollbackFor = RegistryUnavailableException.class)
    public Reprocessed reprocess(@org.apache.camel.Header("id") String id, Exchange exchange)
            throws RegistryUnavailableException {
        HttpRequest request = HttpRequest.of(exchange);
        byte[] edited =
                request.mediaType().isEmpty() ? null : exchange.getMessage().getBody(byte[].class);
        Sendable letter = jdbc.sql(
                        "select " + Sendable.COLUMNS + " from dead_letter where tenant = ? and id = ? for update")
                .params(request.caller().tenant(), id)
                .query(Sendable::of)
                .optional()
                .orElseThrow(() -> new ProblemException(404, "no such dead letter"));
        boolean allowed = letter.status() == DeadLetterFilter.Status.NEW
                || letter.status() == DeadLetterFilter.Status.PARKED && edited != null;
        if (!allowed) {
            throw new ProblemException(
                    409,
                    switch (letter.status()) {
                        case PARKED ->
                            "the dead letter is PARKED, it failed " + letter.attempts()
                                    + " times: it can only be reprocessed with a new value";
                        case REPROCESSED ->
                            "the dead letter is REPROCESSED: it was sent again and has not failed since";
                        default -> "the dead letter is " + letter.status() + ": only a NEW one can be reprocessed";
                    });
        }
        if (edited != null) {
            edited = values.encode(edited, letter.topic());
        }
        Sendable sent = completed(edited == null ? letter : letter.with(edited), exchange);
        if (edited != null) {
            edits.check(sent, original(letter, exchange), request.caller());
        }
        unsendable(sent).ifPresent(why -> {
            throw new ProblemException(409, why);
        });
        send(List.of(sent), new Sender(request.caller().signature(), request.text("reason"), null), edited);
        return new Reprocessed(letter.id(), DeadLetterFilter.Status.REPROCESSED, letter.attempts());
    }

    private Sendable completed(Sendable letter, Exchange exchange) {
        if (letter.omitted() == null) {
            return letter;
        }
        ConsumerRecord<byte[], byte[]> record = record(exchange);
        if (record == null) {
            throw new ProblemException(
                    409,
                    letter.omitted().value()
                            ? "the dead letter is without its value, and its record is no longer in its topic"
                            : "the dead letter is without its headers, and its record is no longer in its topic");
        }
        return letter.with(record);
    }

    /** The value before an edit, from its record where the letter is without it; null when it is not known. */
    private static byte[] original(Sendable letter, Exchange exchange) {
        ConsumerRecord<byte[], byte[]> record = record(exchange);
        return letter.omitted() == null || record == null
                ? letter.value()
                : letter.with(record).value();
    }

    @SuppressWarnings("unchecked")
    private static ConsumerRecord<byte[], byte[]> record(Exchange exchange) {
        return exchange.getProperty(OmittedValueFetcher.RECORD, ConsumerRecord.class);
    }

    /** Why a letter cannot be sent, whatever its status. */
    public Optional<String> unsendable(Sendable letter) {
        if (letter.omitted() != null) {
            return Optional.of("the dead letter is without its value: it can only be reprocessed by itself");
        }
        Optional<Channel> channel = contract.channel(letter.topic());
        if (channel.isEmpty()) {
            return Optional.of("the original topic is not in the contract");
        }
        List<Header> headers = headers(letter, clock.millis());
        if (headers.stream().anyMatch(header -> header.key().indexOf('\0') >= 0)) {
            return Optional.of("the name of a record header has a character that cannot be kept");
        }
        return limits.refusal(letter.key(), letter.value(), headers, channel.get());
    }

    /** Sends letters whose rows the transaction has locked, and which can be sent. Records of a key keep the order of the list. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void send(List<Sendable> letters, Sender sender, byte[] edited) {
        Map<Long, Long> timestamps = new HashMap<>();
        // whoever sends several letters waits for others in this order, so that two of them do not wait for each other
        letters.stream()
                .sorted(Comparator.comparing(Sendable::topic)
                        .thenComparing(Sendable::key, Comparator.nullsFirst((a, b) -> Arrays.compareUnsigned(a, b)))
                        .thenComparing(Sendable::seq))
                .forEach(letter -> timestamps.put(letter.seq(), note(letter, sender, edited)));
        jdbc.sql("update dead_letter set status = 'REPROCESSED', updated_at = now() where seq in (:letters)")
                .param("letters", letters.stream().map(Sendable::seq).toList())
                .update();
        outbox.addAll(letters.stream()
                .map(letter -> record(letter, timestamps.get(letter.seq())))
                .collect(Collectors.toList()));
    }

    /** @return the time that tells this attempt from all others of its topic and key, epoch milliseconds */
    private long note(Sendable letter, Sender sender, byte[] edited) {
        Optional<Long> noted;
        do {
            // nothing comes back when another transaction has taken this time meanwhile: the next one is free
            noted = jdbc.sql(
                            """
                            insert into dead_letter_attempt (tenant, letter, original_topic, key_digest, value_digest,
                                                             edited_value, sent_by, reason, job, reprocess_timestamp)
                            select :tenant, :letter, :topic, :key, :value, :edited, :principal, :reason, :job,
                                   greatest(:now, (select max(reprocess_timestamp) + 1 from dead_letter_attempt
                                                   where original_topic = :topic and key_digest = :key))
                            on conflict (original_topic, key_digest, reprocess_timestamp) do nothing
                            returning reprocess_timestamp""")
                    .param("tenant", letter.tenant())
                    .param("letter", letter.seq())
                    .param("topic", letter.topic())
                    .param("key", DeadLetter.digest(letter.key()))
                    .param("value", DeadLetter.digest(letter.value()))
                    .param("edited", edited, Types.BINARY)
                    .param("principal", sender.principal())
                    .param("reason", sender.reason(), Types.VARCHAR)
                    .param("job", sender.job(), Types.OTHER)
                    .param("now", clock.millis())
                    .query(Long.class)
                    .optional();
        } while (noted.isEmpty());
        return noted.get();
    }

    /** As they were, and behind them those that tell that the record comes again. */
    private static List<Header> headers(Sendable letter, long timestamp) {
        List<Header> headers = new ArrayList<>(letter.headers());
        String error = letter.errorMessage();
        headers.add(header(DeadLetterHeaders.REPROCESSED, "true"));
        headers.add(header(DeadLetterHeaders.ORIGINAL_ERROR, error.substring(0, Math.min(error.length(), MAX_ERROR))));
        headers.add(header(DeadLetterHeaders.REPROCESS_TIMESTAMP, String.valueOf(timestamp)));
        return headers;
    }

    private OutboxRecord record(Sendable letter, long timestamp) {
        return new OutboxRecord(
                letter.topic(),
                letter.key(),
                letter.value(),
                headers(letter, timestamp),
                values.envelope(letter.value(), letter.topic()).eventId().orElse(null),
                letter.tenant());
    }

    private static RecordHeader header(String name, String text) {
        return new RecordHeader(name, text.getBytes(StandardCharsets.UTF_8));
    }

    static Map<String, Object> headersAsText(List<Header> headers) {
        Map<String, Object> text = new HashMap<>();
        headers.forEach(header -> text.put(
                header.key(), header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8)));
        return text;
    }
}
