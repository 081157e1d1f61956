package routes.platform.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;

/**
 * Decides where a member reads on when a partition has no committed offset, or when its log does not have the offset.
 * The client never resets an offset itself, because it would skip removed records silently.
 */
final class OffsetResetPolicy {

    private final String reset;
    private final LostRecords lost;
    private final Duration timeout;

    /**
     * @param reset where a group without a committed offset begins, {@code earliest} or {@code latest}; it fails with
     *     any other
     * @param timeout for an answer of the broker
     */
    OffsetResetPolicy(String reset, LostRecords lost, Duration timeout) {
        this.reset = reset;
        this.lost = lost;
        this.timeout = timeout;
    }

    /** Returns the committed offsets, without partitions that have none. */
    Map<TopicPartition, OffsetAndMetadata> committed(
            Consumer<Object, Object> client, Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> committed = client.committed(Set.copyOf(partitions), timeout);
        committed.values().removeIf(offset -> offset == null);
        return committed;
    }

    /** Seeks to where a group without a committed offset begins. */
    void reset(Consumer<Object, Object> client, Collection<TopicPartition> partitions) {
        if (partitions.isEmpty()) {
            return; // the client takes an empty list for all partitions
        }
        switch (reset) {
            case "earliest" -> client.seekToBeginning(partitions);
            case "latest" -> client.seekToEnd(partitions);
            default -> throw new NoOffsetForPartitionException(partitions);
        }
    }

    /**
     * Seeks to the beginning of the log, and reports the records that are lost.
     *
     * @return partitions whose log was truncated or replaced, so that offsets have another meaning
     */
    Set<TopicPartition> resetOutOfRange(Consumer<Object, Object> client, OffsetOutOfRangeException failure) {
        Set<TopicPartition> truncated = new HashSet<>();
        client.beginningOffsets(failure.partitions(), timeout).forEach((partition, beginning) -> {
            long position = failure.offsetOutOfRangePartitions().get(partition);
            client.seek(partition, beginning);
            if (position < beginning) {
                lost.reportRemoved(partition, position, beginning);
            } else {
                lost.reportTruncated(partition, position, beginning);
                truncated.add(partition);
            }
        });
        return truncated;
    }
}
