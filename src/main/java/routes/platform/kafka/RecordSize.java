package routes.platform.kafka;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** What a record takes in memory, roughly: what it carries, and the objects that carry it. */
final class RecordSize {

    private static final int RECORD = 400;
    private static final int HEADER = 100;

    private RecordSize() {}

    static long of(ConsumerRecord<?, ?> record) {
        return Math.max(0, record.serializedKeySize())
                + Math.max(0, record.serializedValueSize())
                + withoutKeyAndValue(record.headers());
    }

    /** Reading names and values also frees what the broker sent: until then a header keeps the whole answer. */
    static long withoutKeyAndValue(Headers headers) {
        long bytes = RECORD;
        for (Header header : headers) {
            byte[] value = header.value();
            bytes += HEADER + header.key().length() + (value == null ? 0 : value.length);
        }
        return bytes;
    }
}
