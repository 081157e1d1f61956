package routes.platform.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/** What a member has committed: each position once, one request at a time. Only for the thread that polls. */
final class Commits {

    private static final Logger LOG = LoggerFactory.getLogger(Commits.class);

    private final String name;
    private final Duration timeout;
    private final FailureClassifier failures;
    private final Map<TopicPartition, OffsetAndMetadata> committed = new ConcurrentHashMap<>();
    private boolean underWay;

    /** Whether the broker takes the metadata that say what is finished beyond a position. */
    private boolean withMetadata = true;

    Commits(String name, Duration timeout, FailureClassifier failures) {
        this.name = name;
        this.timeout = timeout;
        this.failures = failures;
    }

    /** What the last client had under way is not answered any more. */
    void join() {
        underWay = false;
    }

    /** @param found what is committed, or null */
    void begin(TopicPartition partition, OffsetAndMetadata found) {
        // for a group that has committed nothing, the beginning of a log is no news
        committed.put(partition, found == null ? new OffsetAndMetadata(0) : found);
    }

    /** What is committed is of another log: wherever this one begins, it is committed. */
    void unknown(TopicPartition partition) {
        committed.put(partition, new OffsetAndMetadata(Long.MAX_VALUE));
    }

    void forget(Collection<TopicPartition> partitions) {
        committed.keySet().removeAll(partitions);
    }

    /** Does not wait for the answer. */
    void start(Consumer<Object, Object> client, Map<TopicPartition, PartitionDispatcher> works) {
        if (underWay) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = due(works.keySet(), works::get);
        if (offsets.isEmpty()) {
            return;
        }
        underWay = true;
        client.commitAsync(offsets, (done, error) -> {
            underWay = false;
            if (error == null) {
                done.forEach((partition, offset) -> committed.computeIfPresent(partition, (p, old) -> offset));
            } else if (error instanceof OffsetMetadataTooLarge) {
                withoutMetadata();
            } else {
                LOG.info("{}: commit failed, comes again: {}", name, failures.describe(error));
            }
        });
    }

    /** Waits for it. */
    void finish(
            Consumer<Object, Object> client,
            Collection<TopicPartition> partitions,
            Function<TopicPartition, PartitionDispatcher> works) {
        Map<TopicPartition, OffsetAndMetadata> offsets = due(partitions, works);
        if (offsets.isEmpty()) {
            return;
        }
        try {
            client.commitSync(offsets, timeout);
        } catch (OffsetMetadataTooLarge e) {
            withoutMetadata();
            client.commitSync(due(partitions, works), timeout);
        }
    }

    private void withoutMetadata() {
        withMetadata = false;
        LOG.warn(
                "{}: the broker's offset.metadata.max.bytes is below {}: more records come again after a crash",
                name,
                FinishedOffsets.MAX_CHARS);
    }

    private Map<TopicPartition, OffsetAndMetadata> due(
            Collection<TopicPartition> partitions, Function<TopicPartition, PartitionDispatcher> works) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : partitions) {
            PartitionDispatcher work = works.apply(partition);
            OffsetAndMetadata position = work == null ? null : work.position();
            if (position != null && !withMetadata) {
                position = new OffsetAndMetadata(position.offset(), position.leaderEpoch(), "");
            }
            if (position != null && !position.equals(committed.get(partition))) {
                offsets.put(partition, position);
            }
        }
        return offsets;
    }
}
