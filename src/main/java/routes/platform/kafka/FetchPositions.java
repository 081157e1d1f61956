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
 * Where the client of a member reads on when nothing is committed, or when the log does not have the position. The client itself never resets one: it
 * would pass over what was removed without a word.
 */
final class FetchPositions {

    private final String reset;
    private final LostRecords lost;
    private final Duration timeout;

    /**
     * @param reset where a group begins that has committed nothing: earliest or latest; with anything else it fails
     * @param timeout for an answer of the broker
     */
    FetchPositions(String reset, LostRecords lost, Duration timeout) {
        this.reset = reset;
        this.lost = lost;
        this.timeout = timeout;
    }

    /** @return what is committed, without partitions for which nothing is */
    Map<TopicPartition, OffsetAndMetadata> committed(
            Consumer<Object, Object> client, Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> committed = client.committed(Set.copyOf(partitions), timeout);
        committed.values().removeIf(offset -> offset == null);
        return committed;
    }

    /** Goes to where a group begins that has committed nothing. */
    void begin(Consumer<Object, Object> client, Collection<TopicPartition> partitions) {
        if (partitions.isEmpty()) {
            return; // for the client that would mean all
        }
        switch (reset) {
            case "earliest" -> client.seekToBeginning(partitions);
            case "latest" -> client.seekToEnd(partitions);
            default -> throw new NoOffsetForPartitionException(partitions);
        }
    }

    /**
     * Goes on at the beginning of the log, and says what is lost.
     *
     * @return partitions whose log is another one now, so that offsets mean something else
     */
    Set<TopicPartition> beyondTheLog(Consumer<Object, Object> client, OffsetOutOfRangeException failure) {
        Set<TopicPartition> cut = new HashSet<>();
        client.beginningOffsets(failure.partitions(), timeout).forEach((partition, beginning) -> {
            long position = failure.offsetOutOfRangePartitions().get(partition);
            client.seek(partition, beginning);
            if (position < beginning) {
                lost.removed(partition, position, beginning);
            } else {
                lost.cut(partition, position, beginning);
                cut.add(partition);
            }
        });
        return cut;
    }
}
