package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;

/** What a person sees of dead letters, and the decision that one is not worth sending again. */
@Component("deadLetterReview")
class DeadLetterReview {

    /** Of a summary: as many classes as there are, but a stranger can make up any number. */
    private static final int MAX_GROUPS = 500;

    static final String COLUMNS =
            """
            seq, id, original_topic, original_partition, original_offset, error_message, error_class, failed_at, status,
            attempts, substring(key from 1 for 1024) as key_start, nullif(encode(key_digest, 'hex'), '') as key_sha256""";

    private final JdbcClient jdbc;

    DeadLetterReview(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A letter in a list.
     *
     * @param messageKey the first KiB of the record key as text, where it is not UTF-8 with replacement characters; null when there is none
     * @param keySha256 by which any key is found, also one that is not shown whole, or is no text; null when there is none
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
            String keySha256,
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
                    row.getString("key_sha256"),
                    row.getLong("failed_at"),
                    DeadLetterFilter.Status.valueOf(row.getString("status")),
                    row.getInt("attempts"));
        }

        /** What it is in JSON, about. */
        private long bytes() {
            return 500 + bytes(errorMessage) + (messageKey == null ? 0 : bytes(messageKey));
        }

        private static long bytes(String text) {
            return text.chars()
                    .map(c -> c < ' ' || Character.isSurrogate((char) c) ? 6 : c < 0x80 ? 1 : 3)
                    .sum();
        }
    }

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
        return page.cut(letters, Entry::seq, Entry::bytes, exchange);
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
                .params(request.caller().signature(), reason, request.caller().tenant(), id)
                .update();
        Entry letter = jdbc.sql("select " + COLUMNS + " from dead_letter where tenant = ? and id = ?")
                .params(request.caller().tenant(), id)
                .query(Entry::of)
                .optional()
                .orElseThrow(DeadLetterReview::noSuchLetter);
        if (discarded == 0) {
            throw new ProblemException(
                    409, "the dead letter is " + letter.status() + ": only a NEW or PARKED one can be discarded");
        }
        return letter;
    }

    static ProblemException noSuchLetter() {
        return new ProblemException(404, "no such dead letter");
    }
}
