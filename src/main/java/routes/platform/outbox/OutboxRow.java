package routes.platform.outbox;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.header.Header;

/** An unsent row of the outbox. */
record OutboxRow(long id, String topic, byte[] key, byte[] value, List<Header> headers) {

    /** A generous bound of what a record needs in its batch besides key, value and headers. */
    private static final int RECORD_OVERHEAD = 512;

    /** Rows with the same ordering key go out in the order of their ids. */
    record OrderingKey(String topic, ByteBuffer key) {}

    /** Null for a row without a key: it has no order. */
    OrderingKey orderingKey() {
        return key == null ? null : new OrderingKey(topic, ByteBuffer.wrap(key));
    }

    /** An upper bound of its size in a batch. */
    int bytes() {
        int bytes = RECORD_OVERHEAD + length(key) + length(value);
        for (Header header : headers) {
            bytes += header.key().length() * 3 + length(header.value());
        }
        return bytes;
    }

    private static int length(byte[] bytes) {
        return bytes == null ? 0 : bytes.length;
    }
}
