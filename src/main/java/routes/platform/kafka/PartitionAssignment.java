package routes.platform.kafka;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/**
 * Keeps a dispatcher for each partition that a member has. When the group assigns a partition, it opens a dispatcher at
 * the committed offset; when the group revokes it, it drains the dispatcher and commits. Only the polling thread may
 * call it, except for {@link #dispatchers}, {@link #suspend} and {@link #resume}.
 */
final class PartitionAssignment implements ConsumerRebalanceListener {

    private static final Logger LOG = LoggerFactory.getLogger(PartitionAssignment.class);

    private final String name;
    private final FailureClassifier failures;
    private final OffsetResetPolicy resetPolicy;
    private final OffsetCommitter committer;
    private final BiFunction<TopicPartition, OffsetAndMetadata, PartitionDispatcher> factory;
    private final LongSupplier drainDeadline;

    private final Map<TopicPartition, PartitionDispatcher> dispatchers = new ConcurrentHashMap<>();
    private final FaultyPartitions faulty = new FaultyPartitions(this::setReadFailure, System::nanoTime);
    private Consumer<Object, Object> client;
    private boolean suspended;

    PartitionAssignment(
            String name,
            FailureClassifier failures,
            OffsetResetPolicy resetPolicy,
            OffsetCommitter committer,
            BiFunction<TopicPartition, OffsetAndMetadata, PartitionDispatcher> factory,
            LongSupplier drainDeadline) {
        this.name = name;
        this.failures = failures;
        this.resetPolicy = resetPolicy;
        this.committer = committer;
        this.factory = factory;
        this.drainDeadline = drainDeadline;
    }

    Map<TopicPartition, PartitionDispatcher> dispatchers() {
        return dispatchers;
    }

    /** Returns which of the partitions the client cannot read. */
    FaultyPartitions faulty() {
        return faulty;
    }

    synchronized void suspend() {
        suspended = true;
        dispatchers.values().forEach(PartitionDispatcher::suspend);
    }

    synchronized void resume() {
        suspended = false;
        dispatchers.values().forEach(PartitionDispatcher::resume);
    }

    synchronized boolean isSuspended() {
        return suspended;
    }

    void join(Consumer<Object, Object> joining) {
        client = joining;
    }

    /** Releases all partitions. */
    void leave() {
        release(Set.copyOf(dispatchers.keySet()));
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
        assigned.forEach(partition -> open(partition, null));
        if (!assigned.isEmpty()) {
            try {
                seekToStart(assigned).forEach(this::open);
            } catch (TimeoutException e) {
                LOG.info("{}: the broker does not return the committed offsets: records may be redelivered", name);
            }
        }
        divideBudget();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
        release(revoked);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> lost) {
        forget(lost);
    }

    /**
     * Seeks to the committed offsets, or to where the group begins.
     *
     * @return the committed offsets, without partitions that have none
     */
    Map<TopicPartition, OffsetAndMetadata> seekToStart(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> committed = resetPolicy.committed(client, partitions);
        committed.forEach(client::seek);
        resetPolicy.reset(
                client,
                partitions.stream()
                        .filter(partition -> !committed.containsKey(partition))
                        .toList());
        return committed;
    }

    private void open(TopicPartition partition, OffsetAndMetadata committed) {
        PartitionDispatcher dispatcher = factory.apply(partition, committed);
        committer.track(partition, committed);
        synchronized (this) {
            if (suspended) {
                dispatcher.suspend();
            }
            dispatchers.put(partition, dispatcher);
        }
    }

    /**
     * Opens another dispatcher after the log was truncated or replaced: offsets of the old log no longer mean anything.
     */
    void reopen(TopicPartition partition) {
        dispatchers.get(partition).close();
        open(partition, null);
        committer.trackTruncated(partition);
        dispatchers.get(partition).divideBudgetAmong(dispatchers.size());
    }

    /** Waits for exchanges in flight, commits the completed offsets, and forgets the partitions. */
    private void release(Collection<TopicPartition> partitions) {
        List<PartitionDispatcher> leaving = partitions.stream()
                .map(dispatchers::get)
                .filter(Objects::nonNull)
                .toList();
        long deadline = drainDeadline.getAsLong();
        try {
            leaving.forEach(PartitionDispatcher::suspend);
            for (PartitionDispatcher dispatcher : leaving) {
                dispatcher.drain(deadline);
            }
            committer.commitSync(partitions, dispatchers);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.warn(
                    "{}: the last commit failed, records are redelivered: {}",
                    name,
                    e.getClass().getName());
        } finally {
            forget(partitions);
        }
    }

    private void forget(Collection<TopicPartition> partitions) {
        faulty.forget(partitions);
        committer.forget(partitions);
        for (TopicPartition partition : partitions) {
            PartitionDispatcher dispatcher = dispatchers.remove(partition);
            if (dispatcher != null) {
                dispatcher.close();
            }
        }
        divideBudget();
    }

    private void divideBudget() {
        dispatchers.values().forEach(dispatcher -> dispatcher.divideBudgetAmong(dispatchers.size()));
    }

    private void setReadFailure(TopicPartition partition, Throwable failure) {
        PartitionDispatcher dispatcher = dispatchers.get(partition);
        dispatcher.setReadFailure(
                failure == null
                        ? null
                        : new UnreadablePartitionException(
                                dispatcher.nextOffset(), failures.describe(failure), failure));
    }
}
