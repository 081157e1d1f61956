package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;
import routes.platform.UuidText;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;

/** What a person sees of dead letters, and the decision that one is not worth sending again. */
@Component("deadLetterReview")
class DeadLetterReview {

    /** Of a summary: as many classes as there are, but a stranger can make up any number. */
    private static final int MAX_GROUPS = 500;

    private static final String COLUMNS =
            """
            seq, id, original_topic, original_partition, original_offset, error_message, error_class, failed_at, status,
            attempts, substring(key from 1 for 1024) as key_start""";

    /** In bytes: what a person needs to see what it is. */
    private static final int SHOWN_OF_A_LARGE_VALUE = 64 * 1024;

    /** Whatever is not decoded need not be read. */
    private static final String SENDABLE = Reprocessing.Sendable.columns(
            "substring(" + Reprocessing.Sendable.VALUE + " from 1 for " + (LetterValues.MAX_DECODED + 1) + ")");

    private final JdbcClient jdbc;
    private final LetterValues values;

    DeadLetterReview(JdbcClient jdbc, LetterValues values) {
        this.jdbc = jdbc;
        this.values = values;
    }

    /**
     * A letter in a list.
     *
     * @param messageKey the first KiB of the record key as text, where it is not UTF-8 with replacement characters; null when there is none
     * @param timestamp of the last failure, epoch milliseconds
     * @param attempts how often it has failed
     */
    record Entry(
            @JsonIgnore long seq,
            String id,
            String originalTopic,
            Integer originalPartition,
            Long originalOffset,
            String errorMessage,
            String errorClass,
            String messageKey,
            long timestamp,
            DeadLetterFilter.Status status,
            int attempts) {

        static Entry of(ResultSet row, int n) throws SQLException {
            byte[] key = row.getBytes("key_start");
            return new Entry(
                    row.getLong("seq"),
                    row.getString("id"),
                    row.getString("original_topic"),
                    row.getObject("original_partition", Integer.class),
                    row.getObject("original_offset", Long.class),
                    row.getString("error_message"),
                    row.getString("error_class"),
                    key == null ? null : new String(key, StandardCharsets.UTF_8),
                    row.getLong("failed_at"),
                    DeadLetterFilter.Status.valueOf(row.getString("status")),
                    row.getInt("attempts"));
        }
    }

    /**
     * Bytes as a person can look at them.
     *
     * @param text null when they are not UTF-8
     */
    record Raw(byte[] base64, String text) {

        static Raw of(byte[] bytes) {
            return bytes == null ? null : new Raw(bytes, text(bytes));
        }

        private static String text(byte[] bytes) {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                return null;
            }
        }
    }

    record NamedHeader(String name, Raw value) {}

    /**
     * A time that the letter was sent again.
     *
     * @param reprocessTimestamp as the record says, epoch milliseconds
     * @param editedValue what was sent in place of the value; null when that was sent as it is
     * @param failedAt when it became a dead letter again, epoch milliseconds; null when it has not
     */
    record Attempt(
            long reprocessTimestamp,
            String by,
            String reason,
            UUID jobId,
            boolean edited,
            Raw editedValue,
            Long failedAt,
            String errorClass,
            String errorMessage,
            String errorStack) {}

    /** @param at epoch milliseconds */
    record Discarded(String by, long at, String reason) {}

    /**
     * All there is about a letter.
     *
     * @param value as it was dead-lettered first; null for a tombstone, and where the letter is without it; of a large one its beginning
     * @param valueBytes how long it is
     * @param decoded what the topic's consumers would read of the value that would be sent now; null when it does not fit
     * @param problems what does not fit, and where
     * @param discarded null unless it was
     */
    record Detail(
            @JsonUnwrapped Entry entry,
            String consumerGroup,
            Raw key,
            Raw value,
            Integer valueBytes,
            JsonNode decoded,
            List<String> problems,
            List<NamedHeader> headers,
            String errorStack,
            List<Attempt> reprocessings,
            Discarded discarded) {}

    /** How many letters failed in the same way. */
    record Group(String originalTopic, String errorClass, long count, Statuses statuses) {}

    record Statuses(
            @JsonProperty("NEW") long fresh,
            @JsonProperty("REPROCESSED") long reprocessed,
            @JsonProperty("DISCARDED") long discarded,
            @JsonProperty("PARKED") long parked) {}

    /** The caller's letters that the request filters, newest first. */
    public List<Entry> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        List<Entry> letters = DeadLetterFilter.of(request)
                .bind(
                        jdbc.sql("select " + COLUMNS + " from dead_letter where " + DeadLetterFilter.CONDITION
                                + " and seq < :before order by seq desc limit :rows"),
                        request.caller().tenant())
                .param("before", page.before())
                .param("rows", page.rows())
                .query(Entry::of)
                .list();
        return page.cut(letters, Entry::seq, exchange);
    }

    /** How many letters there are of each topic and error class, most first. */
    public List<Group> summarize(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        return DeadLetterFilter.of(request)
                .bind(
                        jdbc.sql(
                                """
                                select original_topic, error_class, count(*) as count,
                                       count(*) filter (where status = 'NEW') as fresh,
                                       count(*) filter (where status = 'REPROCESSED') as reprocessed,
                                       count(*) filter (where status = 'DISCARDED') as discarded,
                                       count(*) filter (where status = 'PARKED') as parked
                                from dead_letter where """
                                        + DeadLetterFilter.CONDITION
                                        + " group by original_topic, error_class"
                                        + " order by count(*) desc, original_topic, error_class limit "
                                        + MAX_GROUPS),
                        request.caller().tenant())
                .query((row, n) -> new Group(
                        row.getString("original_topic"),
                        row.getString("error_class"),
                        row.getLong("count"),
                        new Statuses(
                                row.getLong("fresh"),
                                row.getLong("reprocessed"),
                                row.getLong("discarded"),
                                row.getLong("parked"))))
                .list();
    }

    /** @throws ProblemException 404 when the caller has no such letter */
    @Transactional(readOnly = true)
    public Detail show(@org.apache.camel.Header("id") String id, Exchange exchange) {
        String tenant = HttpRequest.of(exchange).caller().tenant();
        Reprocessing.Sendable sendable = jdbc.sql(
                        "select " + SENDABLE + " from dead_letter where tenant = ? and id = ?")
                .params(tenant, UuidText.normal(id))
                .query(Reprocessing.Sendable::of)
                .optional()
                .orElseThrow(DeadLetterReview::noSuchLetter);
        LetterValues.Decoded decoded = decode(sendable);
        return jdbc.sql("select " + COLUMNS
                        + ", headers, octet_length(value) as value_bytes, case when octet_length(value) > "
                        + LetterValues.MAX_DECODED
                        + " then substring(value from 1 for " + SHOWN_OF_A_LARGE_VALUE
                        + ") else value end as value_start, consumer_group, error_stack, discarded_by, discard_reason, updated_at"
                        + " from dead_letter where seq = ?")
                .param(sendable.seq())
                .query((row, n) -> new Detail(
                        Entry.of(row, n),
                        row.getString("consumer_group"),
                        Raw.of(sendable.key()),
                        Raw.of(row.getBytes("value_start")),
                        row.getObject("value_bytes", Integer.class),
                        decoded.json(),
                        decoded.problems(),
                        headers((byte[][]) row.getArray("headers").getArray()),
                        row.getString("error_stack"),
                        attempts(sendable.seq()),
                        row.getString("discarded_by") == null
                                ? null
                                : new Discarded(
                                        row.getString("discarded_by"),
                                        row.getTimestamp("updated_at").getTime(),
                                        row.getString("discard_reason"))))
                .single();
    }

    /** Everything else about a letter can be looked at without a registry. */
    private LetterValues.Decoded decode(Reprocessing.Sendable letter) {
        if (letter.omitted() != null && letter.omitted().value()) {
            return new LetterValues.Decoded(null, null, List.of("the dead letter is without its value"));
        }
        try {
            return values.decode(letter.value(), letter.topic(), Reprocessing.headersAsText(letter.headers()));
        } catch (RegistryUnavailableException e) {
            return new LetterValues.Decoded(null, null, List.of(e.getMessage()));
        }
    }

    /**
     * Decides that a letter is not sent again.
     *
     * @param body {@code {reason}}
     * @throws ProblemException 404 when the caller has no such letter, 409 when it is neither NEW nor PARKED
     */
    @Transactional
    public Entry discard(@org.apache.camel.Header("id") String id, @Body byte[] body, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        String reason = Json.readObject(body).path("reason").asText();
        int discarded = jdbc.sql(
                        """
                        update dead_letter
                        set status = 'DISCARDED', discarded_by = ?, discard_reason = ?, updated_at = now()
                        where tenant = ? and id = ? and status in ('NEW', 'PARKED')""")
                .params(request.caller().signature(), reason, request.caller().tenant(), UuidText.normal(id))
                .update();
        Entry letter = jdbc.sql("select " + COLUMNS + " from dead_letter where tenant = ? and id = ?")
                .params(request.caller().tenant(), UuidText.normal(id))
                .query(Entry::of)
                .optional()
                .orElseThrow(DeadLetterReview::noSuchLetter);
        if (discarded == 0) {
            throw new ProblemException(
                    409, "the dead letter is " + letter.status() + ": only a NEW or PARKED one can be discarded");
        }
        return letter;
    }

    private List<Attempt> attempts(long letter) {
        return jdbc.sql(
                        """
                        select reprocess_timestamp, sent_by, reason, job, edited_value, failed_at, error_class, error_message,
                               error_stack
                        from dead_letter_attempt where letter = ? order by reprocess_timestamp""")
                .param(letter)
                .query((row, n) -> new Attempt(
                        row.getLong("reprocess_timestamp"),
                        row.getString("sent_by"),
                        row.getString("reason"),
                        row.getObject("job", UUID.class),
                        row.getBytes("edited_value") != null,
                        Raw.of(row.getBytes("edited_value")),
                        row.getObject("failed_at", Long.class),
                        row.getString("error_class"),
                        row.getString("error_message"),
                        row.getString("error_stack")))
                .list();
    }

    private static List<NamedHeader> headers(byte[][] headers) {
        List<NamedHeader> named = new ArrayList<>();
        for (int i = 0; i < headers.length; i += 2) {
            named.add(new NamedHeader(new String(headers[i], StandardCharsets.UTF_8), Raw.of(headers[i + 1])));
        }
        return named;
    }

    private static ProblemException noSuchLetter() {
        return new ProblemException(404, "no such dead letter");
    }
}
