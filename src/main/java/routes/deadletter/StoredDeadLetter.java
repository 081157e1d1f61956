package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import routes.platform.error.DeadLetterHeaders;

/**
 * A row of {@code dead_letter} with the record that reprocessing would send.
 *
 * @param value the last edit, else the value of the dead letter; null is a tombstone
 * @param headers of the original record, in their order; a name may repeat, a value may be null
 * @param omitted the parts that the dead letter lacks; null when it is whole
 */
record StoredDeadLetter(
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
        OmittedParts omitted) {

    private static final String EDITED =
            """
            (select edited_value from dead_letter_attempt a
             where a.letter = seq and a.edited_value is not null order by reprocess_timestamp desc limit 1)""";

    /** SQL: the value that reprocessing would send. */
    static final String VALUE = "coalesce(" + EDITED + ", value)";

    static final String COLUMNS = columns(VALUE);

    /** The same columns without the value, which may have 24 MiB. */
    static final String COLUMNS_WITHOUT_VALUE = columns("null::bytea");

    private static String columns(String value) {
        return """
                seq, id, tenant, original_topic, original_partition, original_offset, key, headers, error_message, status,
                attempts, %s is not null as edited, %s as value"""
                .formatted(EDITED, value);
    }

    static StoredDeadLetter of(ResultSet row, int n) throws SQLException {
        byte[][] headers = (byte[][]) row.getArray("headers").getArray();
        return new StoredDeadLetter(
                row.getLong("seq"),
                row.getString("id"),
                row.getString("tenant"),
                row.getString("original_topic"),
                row.getBytes("key"),
                row.getBytes("value"),
                originalHeaders(headers),
                row.getString("error_message"),
                DeadLetterFilter.Status.valueOf(row.getString("status")),
                row.getInt("attempts"),
                OmittedParts.of(
                        headers,
                        row.getBoolean("edited"),
                        row.getObject("original_partition", Integer.class),
                        row.getObject("original_offset", Long.class)));
    }

    /** @param headers of the dead letter: name, value, name, value … */
    private static List<Header> originalHeaders(byte[][] headers) {
        List<Header> originals = new ArrayList<>(headers.length / 2);
        for (int i = 0; i < headers.length; i += 2) {
            byte[] value = headers[i + 1];
            DeadLetterHeaders.original(new String(headers[i], StandardCharsets.UTF_8))
                    .ifPresent(name -> originals.add(new RecordHeader(name, value)));
        }
        return originals;
    }

    StoredDeadLetter withEdit(byte[] edited) {
        return with(key, edited, headers, omitted == null ? null : omitted.exceptValue());
    }

    /** Fills the omitted parts from the original record. */
    StoredDeadLetter completedFrom(ConsumerRecord<byte[], byte[]> original) {
        return with(
                original.key(),
                omitted.value() ? original.value() : value,
                List.of(original.headers().toArray()),
                null);
    }

    private StoredDeadLetter with(byte[] newKey, byte[] newValue, List<Header> newHeaders, OmittedParts stillOmitted) {
        return new StoredDeadLetter(
                seq, id, tenant, topic, newKey, newValue, newHeaders, errorMessage, status, attempts, stillOmitted);
    }
}
