package routes.platform.kafka;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import routes.platform.Backoff;

/**
 * Finds and holds the partitions that make a poll fail, such as one with a damaged batch or with a record larger than
 * the heap. The other partitions of the member continue. Few failures name their partition, so it searches. One poll
 * reads no partition; if it fails, the failure is the member's own. Then each poll reads one suspect in addition to the
 * readable partitions. It retries a faulty partition with backoff. Not thread-safe: only the polling thread may call
 * it.
 */
final class FaultyPartitions {

    /** The time after which a suspect without records is cleared. */
    private static final Duration TRIAL = Duration.ofSeconds(1);

    /** Long, because each retry may fill the heap. */
    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(30));

    /** Consecutive searches that find no faulty partition; after them the member rejoins the group. */
    private static final int MAX_SEARCHES = 3;

    /** The time after which earlier searches no longer count. */
    private static final Duration SEARCH_RESET = Duration.ofSeconds(30);

    private final BiConsumer<TopicPartition, Throwable> onChange;
    private final LongSupplier nanos;
    private final Map<TopicPartition, Fault> faults = new HashMap<>();
    private final Deque<TopicPartition> suspects = new ArrayDeque<>();
    private TopicPartition onTrial;

    /** True when the partition on trial is a faulty one that is retried. */
    private boolean retrying;

    private long trialEnds;
    private Throwable searchedFailure;
    private int searches;
    private long lastSearch;

    /** @param onChange gets the failure of a partition, and null when the partition is readable again */
    FaultyPartitions(BiConsumer<TopicPartition, Throwable> onChange, LongSupplier nanos) {
        this.onChange = onChange;
        this.nanos = nanos;
    }

    /** Returns true in the usual case: no partition is faulty, and none is suspected. */
    boolean isEmpty() {
        return faults.isEmpty() && suspects.isEmpty() && onTrial == null;
    }

    /** Returns whether the next polls search for the faulty partition. */
    boolean isSearching() {
        return !suspects.isEmpty() || onTrial != null;
    }

    /** Returns whether the next poll may read a partition. */
    boolean isReadable(TopicPartition partition) {
        return partition.equals(onTrial) || !faults.containsKey(partition) && !suspects.contains(partition);
    }

    /** Returns the faulty partition to retry in this poll, or null. The client still has its failure in the buffer. */
    TopicPartition partitionToRetry() {
        return retrying ? onTrial : null;
    }

    /**
     * Holds the partition that the failure names, or begins a search.
     *
     * @return whether a search begins
     * @throws Throwable the failure, when no partition causes it
     */
    boolean pollFailed(Throwable failure, Set<TopicPartition> assigned) throws Throwable {
        Set<TopicPartition> named = new HashSet<>(named(failure, assigned));
        if (!named.isEmpty()) {
            named.forEach(partition -> hold(partition, failure));
            return false;
        }
        if (onTrial != null) {
            hold(onTrial, searchedFailure == null ? failure : searchedFailure);
            return false;
        }
        long now = nanos.getAsLong();
        searches = now - lastSearch > SEARCH_RESET.toNanos() ? 1 : searches + 1;
        lastSearch = now;
        Set<TopicPartition> readable = new HashSet<>(assigned);
        readable.removeAll(faults.keySet());
        if (!suspects.isEmpty() || readable.isEmpty() || searches > MAX_SEARCHES) {
            throw failure;
        }
        suspects.addAll(readable);
        searchedFailure = failure;
        return true;
    }

    /**
     * Clears the partition on trial, and puts the next one on trial.
     *
     * @param delivered the partitions whose records the poll has returned
     * @param lag the lag of a partition, if the client knows it
     * @param acceptsRecords whether nothing else keeps the client from reading a partition
     */
    void pollSucceeded(
            Set<TopicPartition> delivered,
            Function<TopicPartition, OptionalLong> lag,
            Predicate<TopicPartition> acceptsRecords) {
        if (isEmpty()) {
            return;
        }
        long now = nanos.getAsLong();
        if (retrying) {
            // this poll has only discarded the buffered failure; the next one reads
            retrying = false;
        } else if (onTrial != null && (delivered.contains(onTrial) || isAtEnd(onTrial, lag) || now - trialEnds > 0)) {
            if (faults.remove(onTrial) != null) {
                onChange.accept(onTrial, null);
            }
            onTrial = null;
        }
        suspects.removeIf(partition -> isAtEnd(partition, lag));
        if (onTrial == null) {
            tryNextSuspect(now, acceptsRecords);
        }
        if (!isSearching()) {
            searchedFailure = null;
            retryDue(now, acceptsRecords);
        }
    }

    private static boolean isAtEnd(TopicPartition partition, Function<TopicPartition, OptionalLong> lag) {
        return lag.apply(partition).orElse(1) == 0;
    }

    private void tryNextSuspect(long now, Predicate<TopicPartition> acceptsRecords) {
        onTrial = suspects.stream().filter(acceptsRecords).findFirst().orElse(null);
        suspects.remove(onTrial);
        trialEnds = now + TRIAL.toNanos();
    }

    private void retryDue(long now, Predicate<TopicPartition> acceptsRecords) {
        faults.entrySet().stream()
                .filter(fault -> fault.getValue().retryAt - now <= 0 && acceptsRecords.test(fault.getKey()))
                .findFirst()
                .ifPresent(fault -> {
                    onTrial = fault.getKey();
                    retrying = true;
                    trialEnds = now + TRIAL.toNanos();
                });
    }

    void forget(Collection<TopicPartition> partitions) {
        faults.keySet().removeAll(partitions);
        suspects.removeAll(partitions);
        if (onTrial != null && partitions.contains(onTrial)) {
            endTrial();
        }
    }

    private void endTrial() {
        onTrial = null;
        retrying = false;
    }

    private static Collection<TopicPartition> named(Throwable failure, Set<TopicPartition> assigned) {
        if (failure instanceof RecordDeserializationException unreadable) {
            return Set.of(unreadable.topicPartition());
        }
        if (failure instanceof TopicAuthorizationException forbidden) {
            return assigned.stream()
                    .filter(partition -> forbidden.unauthorizedTopics().contains(partition.topic()))
                    .toList();
        }
        return Set.of();
    }

    private void hold(TopicPartition partition, Throwable failure) {
        Fault fault = faults.computeIfAbsent(partition, p -> new Fault());
        fault.attempts++;
        fault.retryAt = nanos.getAsLong()
                + BACKOFF.jittered(fault.attempts, ThreadLocalRandom.current().nextDouble())
                        .toNanos();
        suspects.remove(partition);
        if (partition.equals(onTrial)) {
            endTrial();
        }
        searches = 0;
        onChange.accept(partition, failure);
    }

    private static final class Fault {

        private int attempts;
        private long retryAt;
    }
}
