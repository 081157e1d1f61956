package routes.platform.kafka;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** Estimates the memory that a record takes, objects included, in bytes. */
final class RecordSize {

    private static final int RECORD = 400;
    private static final int HEADER = 100;

    private RecordSize() {}

    static long of(ConsumerRecord<?, ?> record) {
        return Math.max(0, record.serializedKeySize())
                + Math.max(0, record.serializedValueSize())
                + withoutKeyAndValue(record.headers());
    }

    /**
     * Reads names and values on purpose: a header that is not yet read keeps the whole answer of the broker in memory.
     */
    static long withoutKeyAndValue(Headers headers) {
        long bytes = RECORD;
        for (Header header : headers) {
            byte[] value = header.value();
            bytes += HEADER + header.key().length() + (value == null ? 0 : value.length);
        }
        return bytes;
    }
}
