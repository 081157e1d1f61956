package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.RecordHeaders;
import routes.platform.http.HttpRequest;

/**
 * What a person sees of one letter. Whatever a record holds, it is less than a MiB of JSON, in which a byte may become six: what is large is cut,
 * with its size said, and {@link DeadLetterContent} has the whole.
 */
@Component("deadLetterDetail")
class DeadLetterDetail {

    private static final int SHOWN_OF_A_VALUE = 16 * 1024;

    /** Of a header and of an edited value. */
    private static final int SHOWN_OF_ANOTHER = 1024;

    private static final int SHOWN_OF_A_NAME = 256;
    private static final int SHOWN_HEADERS = 100;
    private static final int SHOWN_HEADER_BYTES = 24 * 1024;
    private static final int SHOWN_REPROCESSINGS = 10;
    private static final int SHOWN_DECODED = 64 * 1024;
    private static final int SHOWN_PROBLEMS = 20;

    /** In characters. */
    private static final int SHOWN_OF_A_PROBLEM = 256;

    private static final int SHOWN_OF_A_STACK = 8000;
    private static final int SHOWN_OF_A_FORMER_STACK = 1000;

    /** Headers that are shown, and read here, however many others there are, and of each name the last one, which counts. */
    private static final List<byte[]> TELLING = Stream.concat(
                    DeadLetterHeaders.ofTheLetter(),
                    Stream.of(RecordHeaders.CORRELATION_ID, RecordHeaders.CAUSATION_ID, RecordHeaders.TENANT))
            .map(name -> name.getBytes(StandardCharsets.UTF_8))
            .toList();

    private static final String HEADERS =
            """
            select number, name, value, value_bytes from (
                select (place - 1) / 2 as number, place, name, value, value_bytes, name in (:telling) as telling,
                       row_number() over (partition by name order by place desc) as from_the_last
                from (select place, substring(part from 1 for %d) as name,
                             lead(substring(part from 1 for %d)) over (order by place) as value,
                             lead(octet_length(part)) over (order by place) as value_bytes
                      from dead_letter, unnest(headers) with ordinality as parts(part, place)
                      where tenant = :tenant and seq = :letter) parts
                where place %% 2 = 1) pairs
            order by telling and from_the_last = 1 desc, telling desc, case when telling then -place else place end limit %d"""
                    .formatted(SHOWN_OF_A_NAME, SHOWN_OF_ANOTHER, SHOWN_HEADERS);

    private final JdbcClient jdbc;
    private final ValueCodec values;

    DeadLetterDetail(JdbcClient jdbc, ValueCodec values) {
        this.jdbc = jdbc;
        this.values = values;
    }

    /** @param number its place among the headers of the letter, from 0 */
    record NamedHeader(long number, String name, BytePreview value) {

        private static NamedHeader of(ResultSet row, int n) throws SQLException {
            return new NamedHeader(
                    row.getLong("number"),
                    new String(row.getBytes("name"), StandardCharsets.UTF_8),
                    BytePreview.of(row.getBytes("value"), row.getLong("value_bytes")));
        }

        private int shownBytes() {
            return name.length() + (value == null ? 0 : value.base64().length);
        }
    }

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
            BytePreview editedValue,
            Long failedAt,
            String errorClass,
            String errorMessage,
            String errorStack,
            Integer errorStackBytes) {}

    /** @param at epoch milliseconds */
    record Discarded(String by, long at, String reason) {}

    /**
     * All there is about a letter, or the beginning of it.
     *
     * @param value as it was dead-lettered first; null for a tombstone, and where the letter is without it
     * @param decoded what the topic's consumers would read of the value that would be sent now; null when it does not fit, or is large
     * @param problems what does not fit, and where
     * @param headers how many there are says headerCount
     * @param reprocessings how many there are says reprocessingCount
     * @param discarded null unless it was
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

    /** @throws routes.platform.error.ProblemException 404 when the caller has no such letter */
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
                                .formatted(SHOWN_OF_A_VALUE, StoredDeadLetter.VALUE, ValueCodec.MAX_DECODED + 1))
                .param("tenant", tenant)
                .param("id", id)
                .query((row, n) -> detail(row, n, tenant))
                .optional()
                .orElseThrow(DeadLetterQueries::noSuchDeadLetter);
    }

    private Detail detail(ResultSet row, int n, String tenant) throws SQLException {
        DeadLetterQueries.Entry entry = DeadLetterQueries.Entry.of(row, n);
        List<NamedHeader> headers = headers(tenant, entry.seq());
        ValueCodec.Decoded decoded =
                decode(entry.originalTopic(), row.getBytes("sendable"), row.getBoolean("edited"), headers);
        byte[] json = decoded.json() == null ? null : Json.write(decoded.json());
        boolean shown = json != null && json.length <= SHOWN_DECODED;
        return new Detail(
                entry,
                row.getString("consumer_group"),
                BytePreview.of(row.getBytes("key_start"), row.getLong("key_bytes")),
                BytePreview.of(row.getBytes("value_start"), row.getLong("value_bytes")),
                shown ? new String(json, StandardCharsets.UTF_8) : null,
                problems(decoded.problems(), json != null && !shown, entry.originalTopic(), headers),
                headers,
                row.getInt("header_count"),
                DeadLetter.cut(row.getString("error_stack"), SHOWN_OF_A_STACK),
                row.getInt("stack_bytes"),
                attempts(tenant, entry.seq()),
                row.getInt("reprocessing_count"),
                row.getString("discarded_by") == null
                        ? null
                        : new Discarded(
                                row.getString("discarded_by"),
                                row.getTimestamp("updated_at").getTime(),
                                row.getString("discard_reason")));
    }

    private List<NamedHeader> headers(String tenant, long letter) {
        List<NamedHeader> headers = new ArrayList<>();
        int bytes = 0;
        for (NamedHeader header : jdbc.sql(HEADERS)
                .param("tenant", tenant)
                .param("letter", letter)
                .param("telling", TELLING)
                .query(NamedHeader::of)
                .list()) {
            bytes += header.shownBytes();
            if (bytes <= SHOWN_HEADER_BYTES) {
                headers.add(header);
            }
        }
        headers.sort(Comparator.comparing(NamedHeader::number));
        return headers;
    }

    /** Everything else about a letter can be looked at without a registry. */
    private ValueCodec.Decoded decode(String topic, byte[] value, boolean edited, List<NamedHeader> headers) {
        Map<String, Object> text = new HashMap<>();
        boolean omitted = false;
        for (NamedHeader header : headers) {
            String said =
                    header.value() == null ? null : new String(header.value().base64(), StandardCharsets.UTF_8);
            DeadLetterHeaders.original(header.name()).ifPresent(name -> text.put(name, said));
            if (header.name().equals(DeadLetterHeaders.VALUE_OMITTED)) {
                omitted = "true".equals(said) && !edited;
            }
        }
        if (omitted) {
            return ValueCodec.undecodable(List.of("the dead letter is without its value"));
        }
        try {
            return values.decode(value, topic, text);
        } catch (RegistryUnavailableException e) {
            return ValueCodec.undecodable(List.of(e.getMessage()));
        }
    }

    private static List<String> problems(
            List<String> found, boolean tooLarge, String topic, List<NamedHeader> headers) {
        List<String> problems = new ArrayList<>(found.stream()
                .limit(SHOWN_PROBLEMS)
                .map(problem -> DeadLetter.cut(problem, SHOWN_OF_A_PROBLEM))
                .toList());
        int more = found.size() - problems.size();
        if (more > 0) {
            problems.add("and " + more + " more");
        }
        if (tooLarge) {
            problems.add("it fits, and is larger than what is shown decoded: " + SHOWN_DECODED + " bytes");
        }
        headers.stream()
                .filter(header -> header.name().equals(DeadLetterHeaders.ORIGINAL_TOPIC))
                .filter(header ->
                        header.value() != null && !topic.equals(header.value().text()))
                .findFirst()
                .ifPresent(header -> problems.add("header " + DeadLetterHeaders.ORIGINAL_TOPIC
                        + " is not believed: the letter is from the dead-letter topic of " + topic));
        return problems;
    }

    private List<Attempt> attempts(String tenant, long letter) {
        return jdbc.sql(
                        """
                        select * from (
                            select reprocess_timestamp, sent_by, reason, job, substring(edited_value from 1 for %d) as edited_start,
                                   octet_length(edited_value) as edited_bytes, failed_at, error_class, error_message, error_stack,
                                   octet_length(error_stack) as stack_bytes
                            from dead_letter_attempt where tenant = ? and letter = ? order by reprocess_timestamp desc limit %d) newest
                        order by reprocess_timestamp"""
                                .formatted(SHOWN_OF_ANOTHER, SHOWN_REPROCESSINGS))
                .params(tenant, letter)
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
                                : DeadLetter.cut(row.getString("error_stack"), SHOWN_OF_A_FORMER_STACK),
                        row.getObject("stack_bytes", Integer.class)))
                .list();
    }
}
