package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;

/** Lists and counts the dead letters of the caller's tenant. */
@Component("deadLetterQueries")
class DeadLetterQueries {

    /** Limits the groups of a summary: a service that writes dead letters can invent any number of error classes. */
    private static final int MAX_GROUPS = 500;

    static final String COLUMNS =
            """
            seq, id, original_topic, original_partition, original_offset, error_message, error_class, failed_at, status,
            attempts, substring(key from 1 for 1024) as key_start, nullif(encode(key_digest, 'hex'), '') as key_sha256""";

    private final JdbcClient jdbc;

    DeadLetterQueries(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A dead letter in a list.
     *
     * @param messageKey the first KiB of the record key; bytes that are not UTF-8 become replacement characters; null
     *     when the record has no key
     * @param keySha256 finds every key, even a binary one or one that the list truncates; null when the record has no
     *     key
     * @param timestamp of the last failure, epoch milliseconds
     * @param attempts failures so far
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

        /** An estimate of its size in JSON. */
        private long bytes() {
            return 500 + bytes(errorMessage) + (messageKey == null ? 0 : bytes(messageKey));
        }

        private static long bytes(String text) {
            return text.chars()
                    .map(c -> c < ' ' || Character.isSurrogate((char) c) ? 6 : c < 0x80 ? 1 : 3)
                    .sum();
        }
    }

    /** The count of dead letters of one topic and error class. */
    record Group(String originalTopic, String errorClass, long count, Statuses statuses) {}

    record Statuses(
            @JsonProperty("NEW") long fresh,
            @JsonProperty("REPROCESSED") long reprocessed,
            @JsonProperty("DISCARDED") long discarded,
            @JsonProperty("PARKED") long parked) {}

    /** Lists the caller's dead letters that match the request's filter, newest first. */
    public List<Entry> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        List<Entry> entries = DeadLetterFilter.of(request)
                .bind(
                        jdbc.sql("select " + COLUMNS + " from dead_letter where " + DeadLetterFilter.CONDITION
                                + " and seq < :before order by seq desc limit :rows"),
                        request.caller().tenant())
                .param("before", page.before())
                .param("rows", page.rows())
                .query(Entry::of)
                .list();
        return page.cut(entries, Entry::seq, Entry::bytes, exchange);
    }

    /** Counts the caller's dead letters by topic and error class, the largest group first. */
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

    static ProblemException noSuchDeadLetter() {
        return new ProblemException(404, "no such dead letter");
    }
}
