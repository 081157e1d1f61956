package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.deadletter.HeaderPreview.NamedHeader;
import routes.platform.http.HttpRequest;

/**
 * Shows one dead letter in less than a MiB of JSON, in which a byte may become six. It truncates large parts and gives
 * their size; {@link DeadLetterContent} sends them whole.
 */
@Component("deadLetterDetail")
class DeadLetterDetail {

    private static final int MAX_VALUE = 16 * 1024;
    private static final int MAX_EDITED_VALUE = 1024;
    private static final int MAX_ATTEMPTS = 10;
    private static final int MAX_STACK = 8000;
    private static final int MAX_STACK_OF_ATTEMPT = 1000;

    private final JdbcClient jdbc;
    private final HeaderPreview headerPreview;
    private final DecodedPreview decodedPreview;

    DeadLetterDetail(JdbcClient jdbc, HeaderPreview headerPreview, DecodedPreview decodedPreview) {
        this.jdbc = jdbc;
        this.headerPreview = headerPreview;
        this.decodedPreview = decodedPreview;
    }

    /**
     * One reprocessing.
     *
     * @param reprocessTimestamp as in the record, epoch milliseconds
     * @param editedValue replaces the value; null when there was no edit
     * @param failedAt epoch milliseconds; null when the record has not failed again
     */
    record Attempt(
            long reprocessTimestamp,
            String by,
            String reason,
            UUID jobId,
            boolean edited,
            BytePreview editedValue,
            Long failedAt,
            String errorClass,
            String errorMessage,
            String errorStack,
            Integer errorStackBytes) {}

    /** @param at epoch milliseconds */
    record Discarded(String by, long at, String reason) {}

    /**
     * The answer.
     *
     * @param value the first value; null for a tombstone, and when the dead letter lacks it
     * @param decoded the value that reprocessing would send, as consumers read it; null when it has problems or is
     *     large
     * @param problems the reasons why consumers cannot read that value
     * @param headers the first ones; headerCount counts all
     * @param reprocessings the last ones; reprocessingCount counts all
     * @param discarded null unless an operator has discarded it
     */
    record Detail(
            @JsonUnwrapped DeadLetterQueries.Entry entry,
            String consumerGroup,
            BytePreview key,
            BytePreview value,
            @JsonRawValue String decoded,
            List<String> problems,
            List<NamedHeader> headers,
            int headerCount,
            String errorStack,
            int errorStackBytes,
            List<Attempt> reprocessings,
            int reprocessingCount,
            Discarded discarded) {}

    /** @throws routes.platform.error.ProblemException 404 when the caller has no such dead letter */
    @Transactional(readOnly = true)
    public Detail show(@org.apache.camel.Header("id") String id, Exchange exchange) {
        String tenant = HttpRequest.of(exchange).caller().tenant();
        return jdbc.sql("select " + DeadLetterQueries.COLUMNS
                        + """
                        , octet_length(key) as key_bytes, cardinality(headers) / 2 as header_count, consumer_group, error_stack,
                        octet_length(error_stack) as stack_bytes, discarded_by, discard_reason, updated_at,
                        substring(value from 1 for %d) as value_start, octet_length(value) as value_bytes,
                        substring(%s from 1 for %d) as sendable,
                        exists (select 1 from dead_letter_attempt a
                                where a.tenant = :tenant and a.letter = seq and edited_value is not null) as edited,
                        (select count(*) from dead_letter_attempt a where a.tenant = :tenant and a.letter = seq)
                        as reprocessing_count
                        from dead_letter where tenant = :tenant and id = :id"""
                                .formatted(MAX_VALUE, StoredDeadLetter.VALUE, ValueCodec.MAX_DECODED + 1))
                .param("tenant", tenant)
                .param("id", id)
                .query((row, n) -> detail(row, n, tenant))
                .optional()
                .orElseThrow(DeadLetterQueries::noSuchDeadLetter);
    }

    private Detail detail(ResultSet row, int n, String tenant) throws SQLException {
        DeadLetterQueries.Entry entry = DeadLetterQueries.Entry.of(row, n);
        List<NamedHeader> headers = headerPreview.of(tenant, entry.seq());
        DecodedPreview.Preview decoded =
                decodedPreview.of(entry.originalTopic(), row.getBytes("sendable"), row.getBoolean("edited"), headers);
        return new Detail(
                entry,
                row.getString("consumer_group"),
                BytePreview.of(row.getBytes("key_start"), row.getLong("key_bytes")),
                BytePreview.of(row.getBytes("value_start"), row.getLong("value_bytes")),
                decoded.json(),
                decoded.problems(),
                headers,
                row.getInt("header_count"),
                DeadLetter.cut(row.getString("error_stack"), MAX_STACK),
                row.getInt("stack_bytes"),
                attempts(tenant, entry.seq()),
                row.getInt("reprocessing_count"),
                discarded(row));
    }

    private static Discarded discarded(ResultSet row) throws SQLException {
        return row.getString("discarded_by") == null
                ? null
                : new Discarded(
                        row.getString("discarded_by"),
                        row.getTimestamp("updated_at").getTime(),
                        row.getString("discard_reason"));
    }

    private List<Attempt> attempts(String tenant, long seq) {
        return jdbc.sql(
                        """
                        select * from (
                            select reprocess_timestamp, sent_by, reason, job, substring(edited_value from 1 for %d) as edited_start,
                                   octet_length(edited_value) as edited_bytes, failed_at, error_class, error_message, error_stack,
                                   octet_length(error_stack) as stack_bytes
                            from dead_letter_attempt where tenant = ? and letter = ? order by reprocess_timestamp desc limit %d) newest
                        order by reprocess_timestamp"""
                                .formatted(MAX_EDITED_VALUE, MAX_ATTEMPTS))
                .params(tenant, seq)
                .query((row, n) -> new Attempt(
                        row.getLong("reprocess_timestamp"),
                        row.getString("sent_by"),
                        row.getString("reason"),
                        row.getObject("job", UUID.class),
                        row.getBytes("edited_start") != null,
                        BytePreview.of(row.getBytes("edited_start"), row.getLong("edited_bytes")),
                        row.getObject("failed_at", Long.class),
                        row.getString("error_class"),
                        row.getString("error_message"),
                        row.getString("error_stack") == null
                                ? null
                                : DeadLetter.cut(row.getString("error_stack"), MAX_STACK_OF_ATTEMPT),
                        row.getObject("stack_bytes", Integer.class)))
                .list();
    }
}
