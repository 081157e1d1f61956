package routes.platform.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/**
 * Polls one client: hands the records to the dispatchers, pauses partitions without room, and commits what is
 * completed. After a failed poll it seeks back, because the client may have lost the records that it had read. The only
 * other seek is to the first offset of a new partition. Not thread-safe: only the polling thread may call it.
 */
final class PollLoop {

    private static final Logger LOG = LoggerFactory.getLogger(PollLoop.class);

    /**
     * The longest poll, and so the longest time until a member without records in flight notices that it has to stop.
     */
    private static final Duration IDLE = Duration.ofMillis(100);

    /** The longest poll while a partition waits for room. */
    private static final Duration BUSY = Duration.ofMillis(5);

    /** An offset larger than any in a log. */
    private static final long NO_RECORD = 1L << 60;

    private final String name;
    private final Consumer<Object, Object> client;
    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final OffsetResetPolicy resetPolicy;
    private final PollBudget budget;
    private final OffsetCommitter committer;
    private final PartitionAssignment assignment;
    private final Map<TopicPartition, PartitionDispatcher> dispatchers;
    private final FaultyPartitions faulty;
    private final BooleanSupplier stopping;

    private long lastCommit = System.nanoTime();
    private boolean waitsForRoom;
    private long bytesOverShare;

    PollLoop(
            String name,
            Consumer<Object, Object> client,
            ConsumerSettings settings,
            FailureClassifier failures,
            OffsetResetPolicy resetPolicy,
            PollBudget budget,
            OffsetCommitter committer,
            PartitionAssignment assignment,
            BooleanSupplier stopping) {
        this.name = name;
        this.client = client;
        this.settings = settings;
        this.failures = failures;
        this.resetPolicy = resetPolicy;
        this.budget = budget;
        this.committer = committer;
        this.assignment = assignment;
        this.dispatchers = assignment.dispatchers();
        this.faulty = assignment.faulty();
        this.stopping = stopping;
    }

    /**
     * Polls once, and recovers from a failure that one partition may have caused.
     *
     * @throws Throwable the failure, when the member has to rejoin the group
     */
    void poll() throws Throwable {
        boolean commitDue =
                System.nanoTime() - lastCommit >= settings.commitInterval().toNanos();
        try {
            read();
            if (commitDue) {
                skipGaps();
            }
        } catch (OffsetOutOfRangeException e) {
            resetPolicy.resetOutOfRange(client, e).forEach(assignment::reopen);
        } catch (NoOffsetForPartitionException e) {
            resetPolicy.reset(client, e.partitions());
        } catch (InterruptException e) {
            throw e;
        } catch (Throwable e) {
            recover(e);
        }
        dispatchers.values().forEach(PartitionDispatcher::retryDue);
        pauseAndResume();
        if (commitDue) {
            lastCommit = System.nanoTime();
            committer.commitAsync(dispatchers);
        }
    }

    private void read() {
        budget.reset(settings.pollBudget(Math.max(1, dispatchers.size()), bytesOverShare));
        TopicPartition retried = faulty.partitionToRetry();
        ConsumerRecords<Object, Object> records = retried == null ? client.poll(pollTimeout()) : discard(retried);
        for (TopicPartition partition : records.partitions()) {
            if (!partition.equals(retried)) {
                dispatchers.get(partition).dispatch(records.records(partition));
            }
        }
        faulty.pollSucceeded(records.partitions(), client::currentLag, partition -> dispatchers
                .get(partition)
                .acceptsRecords());
    }

    /** Makes the client read the log again: it keeps a read failure, and would rethrow it without another attempt. */
    private ConsumerRecords<Object, Object> discard(TopicPartition retried) {
        // the client looks at this partition only when no other has records for the poll
        client.pause(client.assignment());
        client.resume(List.of(retried));
        return discardBuffered(List.of(retried));
    }

    /** Makes the client drop the records and failures that it has buffered, and seeks back to the next record. */
    private ConsumerRecords<Object, Object> discardBuffered(Collection<TopicPartition> partitions) {
        // the client drops buffered data that does not begin at its position
        partitions.forEach(partition -> client.seek(partition, NO_RECORD));
        ConsumerRecords<Object, Object> records = ConsumerRecords.empty();
        try {
            records = client.poll(Duration.ZERO);
        } catch (OffsetOutOfRangeException e) {
            LOG.debug("{}: the broker has already refused the offset that no log reaches", name);
        }
        seekToNext(partitions);
        return records;
    }

    private void seekToNext(Collection<TopicPartition> partitions) {
        Set<TopicPartition> unknown = new HashSet<>();
        for (TopicPartition partition : partitions) {
            PartitionDispatcher dispatcher = dispatchers.get(partition);
            if (dispatcher == null) {
                continue;
            }
            long next = dispatcher.nextOffset();
            if (next == OffsetWindow.UNKNOWN) {
                unknown.add(partition);
            } else {
                client.seek(partition, next);
            }
        }
        if (!unknown.isEmpty()) {
            assignment.seekToStart(unknown);
        }
    }

    /**
     * Moves completed partitions past offsets without a record, so that the lag becomes 0 even behind a commit marker.
     */
    private void skipGaps() {
        dispatchers.forEach((partition, dispatcher) -> {
            try {
                dispatcher.skipGapsUpTo(client.position(partition, Duration.ZERO));
            } catch (TimeoutException e) {
                LOG.debug("{}: the client has no position of {} yet", name, partition);
            }
        });
    }

    /** Reads the records of the failed poll again, and finds the partition that fails. */
    private void recover(Throwable failure) throws Throwable {
        if (stopping.getAsBoolean() || !dispatchers.keySet().equals(client.assignment())) {
            throw failure;
        }
        if (failure instanceof Error) {
            // after an Error the client's buffer can be behind a record that it has not returned
            discardBuffered(dispatchers.keySet());
        } else {
            seekToNext(dispatchers.keySet());
        }
        if (faulty.pollFailed(failure, dispatchers.keySet())) {
            LOG.warn(
                    "{}: a poll failed, searching for the partition that causes it: {}: {}",
                    name,
                    failures.describe(failure),
                    failures.stack(failure));
        }
    }

    private void pauseAndResume() {
        Set<TopicPartition> paused = client.paused();
        boolean allReadable = faulty.isEmpty();
        boolean waits = false;
        long overShare = 0;
        for (Map.Entry<TopicPartition, PartitionDispatcher> entry : dispatchers.entrySet()) {
            TopicPartition partition = entry.getKey();
            boolean accepts = entry.getValue().acceptsRecords();
            boolean readable = allReadable || faulty.isReadable(partition);
            if (accepts && readable) {
                if (paused.contains(partition)) {
                    client.resume(List.of(partition));
                }
            } else if (!paused.contains(partition)) {
                client.pause(List.of(partition));
            }
            waits |= readable && !accepts;
            overShare += entry.getValue().bytesOverShare();
        }
        waitsForRoom = waits && !assignment.isSuspended();
        bytesOverShare = overShare;
    }

    private Duration pollTimeout() {
        return waitsForRoom || faulty.isSearching() ? BUSY : IDLE;
    }
}
