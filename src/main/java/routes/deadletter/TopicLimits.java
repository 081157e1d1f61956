package routes.deadletter;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.AbstractRecords;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.DefaultRecord;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.RecordBatch;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.platform.contract.Channel;

/** Checks the size of a record. The producer measures before compression, the broker after it. */
@Component
class TopicLimits {

    private static final int ROOM = 1024;
    private static final int GZIP_BUFFER = 8 * 1024;
    private static final int BUFFER = 16 * 1024;

    private final int maxRecordBytes;

    TopicLimits(@Value("${event-broker.max-record-bytes}") int maxRecordBytes) {
        this.maxRecordBytes = maxRecordBytes;
    }

    /**
     * The reason why the record is too large; empty when it fits. In the outbox it would hold its key until an operator
     * acts.
     */
    Optional<String> rejection(byte[] key, byte[] value, List<Header> headers, Channel channel) {
        Header[] array = headers.toArray(Header[]::new);
        int plain = AbstractRecords.estimateSizeInBytesUpperBound(
                RecordBatch.CURRENT_MAGIC_VALUE, CompressionType.NONE, key, value, array);
        if (plain > maxRecordBytes) {
            return Optional.of(
                    "the record has %d bytes, and what is sent from here at most %d (event-broker.max-record-bytes)"
                            .formatted(plain, maxRecordBytes));
        }
        // incompressible data grows a little
        boolean near = plain + (plain >> 10) + ROOM > channel.maxMessageBytes();
        return near && compressed(key, value, array) > channel.maxMessageBytes()
                ? Optional.of("the record is larger than its topic accepts")
                : Optional.empty();
    }

    /** The size of the batch that the producer would send. */
    private static long compressed(byte[] key, byte[] value, Header[] headers) {
        Counter bytes = new Counter();
        // the buffer sizes of Kafka's client, because they affect the size
        try (DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(new GZIPOutputStream(bytes, GZIP_BUFFER), BUFFER))) {
            DefaultRecord.writeTo(out, 0, 0, wrap(key), wrap(value), headers);
        } catch (IOException e) {
            throw new UncheckedIOException("a counter takes every byte", e);
        }
        return DefaultRecordBatch.RECORD_BATCH_OVERHEAD + bytes.count;
    }

    private static ByteBuffer wrap(byte[] bytes) {
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }

    private static final class Counter extends OutputStream {

        private long count;

        @Override
        public void write(int one) {
            count++;
        }

        @Override
        public void write(byte[] some, int from, int length) {
            count += length;
        }
    }
}
