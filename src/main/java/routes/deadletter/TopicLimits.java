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

/** Whether a record can be sent to its topic. The producer measures before it compresses, the broker afterwards. */
@Component
class TopicLimits {

    private static final int ROOM = 1024;
    private static final int GZIP_BUFFER = 8 * 1024;
    private static final int BUFFER = 16 * 1024;

    private final int maxRecordBytes;

    TopicLimits(@Value("${event-broker.max-record-bytes}") int maxRecordBytes) {
        this.maxRecordBytes = maxRecordBytes;
    }

    /** Why it cannot: in the outbox it would stay at the head of its key for ever. */
    Optional<String> rejection(byte[] key, byte[] value, List<Header> headers, Channel channel) {
        Header[] array = headers.toArray(Header[]::new);
        int plain = AbstractRecords.estimateSizeInBytesUpperBound(
                RecordBatch.CURRENT_MAGIC_VALUE, CompressionType.NONE, key, value, array);
        if (plain > maxRecordBytes) {
            return Optional.of(
                    "the record has %d bytes, and what is sent from here at most %d (event-broker.max-record-bytes)"
                            .formatted(plain, maxRecordBytes));
        }
        // what does not compress gets a little larger
        boolean near = plain + (plain >> 10) + ROOM > channel.maxMessageBytes();
        return near && compressed(key, value, array) > channel.maxMessageBytes()
                ? Optional.of("the record is larger than its topic takes")
                : Optional.empty();
    }

    /** What the producer would make of it: the same bytes, counted and not kept. */
    private static long compressed(byte[] key, byte[] value, Header[] headers) {
        Counter bytes = new Counter();
        // in pieces as Kafka's are, on which a little of the size depends
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
