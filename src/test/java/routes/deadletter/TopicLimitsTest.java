package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;

class TopicLimitsTest {

    private static final int MAX_RECORD = 24 << 20;

    private final Channel channel = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"))
            .channel("medication.events")
            .orElseThrow();
    private final TopicLimits limits = new TopicLimits(MAX_RECORD);

    @Test
    void acceptsARecordThatFitsCompressed() {
        assertThat(limits.rejection(null, new byte[20 << 20], List.of(), channel))
                .isEmpty();
    }

    @Test
    void rejectsARecordThatIsTooLargeCompressed() {
        assertThat(limits.rejection(null, random(channel.maxMessageBytes()), List.of(), channel))
                .contains("the record is larger than its topic accepts");
    }

    @Test
    void rejectsARecordOverTheProducerLimit() {
        assertThat(limits.rejection(null, new byte[MAX_RECORD], List.of(), channel)
                        .orElseThrow())
                .contains("event-broker.max-record-bytes");
    }

    /** The last byte counts: one more and the broker refuses the batch, and its key waits. */
    @Test
    void measuresAsTheBrokerDoes() {
        List<Header> headers = List.of(new RecordHeader("h", null), new RecordHeader("h", random(2000)));
        int largest = 0;
        for (int size = channel.maxMessageBytes() - 3000; size < channel.maxMessageBytes(); size += 7) {
            if (limits.rejection("key".getBytes(), random(size), headers, channel)
                    .isEmpty()) {
                largest = size;
            }
        }

        assertThat(batch(random(largest), headers)).isLessThanOrEqualTo(channel.maxMessageBytes());
        assertThat(batch(random(largest + 7), headers)).isGreaterThan(channel.maxMessageBytes());
    }

    private static int batch(byte[] value, List<Header> headers) {
        return MemoryRecords.withRecords(
                        Compression.gzip().build(),
                        new SimpleRecord(0, "key".getBytes(), value, headers.toArray(Header[]::new)))
                .sizeInBytes();
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(1).nextBytes(bytes);
        return bytes;
    }
}
