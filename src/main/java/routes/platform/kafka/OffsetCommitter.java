package routes.platform.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/**
 * Commits the offsets of a member: each offset once, one request at a time. Not thread-safe: only the polling thread
 * may call it.
 */
final class OffsetCommitter {

    private static final Logger LOG = LoggerFactory.getLogger(OffsetCommitter.class);

    private final String name;
    private final Duration timeout;
    private final FailureClassifier failures;
    private final Map<TopicPartition, OffsetAndMetadata> committed = new ConcurrentHashMap<>();
    private Consumer<Object, Object> client;
    private boolean inFlight;

    /** Whether the broker accepts the completed offsets beyond the committed one, as metadata. */
    private boolean withMetadata = true;

    OffsetCommitter(String name, Duration timeout, FailureClassifier failures) {
        this.name = name;
        this.timeout = timeout;
        this.failures = failures;
    }

    /** Commits through another client from now on; requests of the former one no longer get an answer. */
    void join(Consumer<Object, Object> joining) {
        client = joining;
        inFlight = false;
    }

    /** @param found the committed offset, or null */
    void track(TopicPartition partition, OffsetAndMetadata found) {
        // without a committed offset, the beginning of a log need not be committed
        committed.put(partition, found == null ? new OffsetAndMetadata(0) : found);
    }

    /** Commits any offset of a partition whose log was truncated or replaced, even one below the committed offset. */
    void trackTruncated(TopicPartition partition) {
        committed.put(partition, new OffsetAndMetadata(Long.MAX_VALUE));
    }

    void forget(Collection<TopicPartition> partitions) {
        committed.keySet().removeAll(partitions);
    }

    /** Sends a commit and does not wait for the answer. */
    void commitAsync(Map<TopicPartition, PartitionDispatcher> dispatchers) {
        if (inFlight) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = due(dispatchers.keySet(), dispatchers);
        if (offsets.isEmpty()) {
            return;
        }
        inFlight = true;
        client.commitAsync(offsets, (done, error) -> {
            inFlight = false;
            if (error == null) {
                done.forEach((partition, offset) -> committed.computeIfPresent(partition, (p, old) -> offset));
            } else if (error instanceof OffsetMetadataTooLarge) {
                omitMetadata();
            } else {
                LOG.info("{}: the commit failed and is retried: {}", name, failures.describe(error));
            }
        });
    }

    /** Sends a commit and waits for the answer. */
    void commitSync(Collection<TopicPartition> partitions, Map<TopicPartition, PartitionDispatcher> dispatchers) {
        Map<TopicPartition, OffsetAndMetadata> offsets = due(partitions, dispatchers);
        if (offsets.isEmpty()) {
            return;
        }
        try {
            client.commitSync(offsets, timeout);
        } catch (OffsetMetadataTooLarge e) {
            omitMetadata();
            client.commitSync(due(partitions, dispatchers), timeout);
        }
    }

    private void omitMetadata() {
        withMetadata = false;
        LOG.warn(
                "{}: the broker's offset.metadata.max.bytes is below {}: a crash repeats more records",
                name,
                CompletedOffsets.MAX_CHARS);
    }

    private Map<TopicPartition, OffsetAndMetadata> due(
            Collection<TopicPartition> partitions, Map<TopicPartition, PartitionDispatcher> dispatchers) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : partitions) {
            PartitionDispatcher dispatcher = dispatchers.get(partition);
            OffsetAndMetadata offset = dispatcher == null ? null : dispatcher.offsetToCommit();
            if (offset != null && !withMetadata) {
                offset = new OffsetAndMetadata(offset.offset(), offset.leaderEpoch(), "");
            }
            if (offset != null && !offset.equals(committed.get(partition))) {
                offsets.put(partition, offset);
            }
        }
        return offsets;
    }
}
