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

/**
 * Which partitions a poll fails for: a damaged batch, or a record that does not fit into memory, would otherwise stop all others of the
 * member. Few failures name their partition, so it is looked for: nothing is read in one poll; when that fails too, the member is
 * broken, and no partition. Then one partition after the other is read again, beside those that are cleared. The one for which the poll fails is
 * held, and tried again with backoff. Only for the thread that polls.
 */
final class PollFaults {

    /** How long a partition of which nothing comes is under suspicion. */
    private static final Duration TRIAL = Duration.ofSeconds(1);

    /** Each retry may fill the heap. */
    private static final ConsumerSettings.Backoff BACKOFF =
            new ConsumerSettings.Backoff(Duration.ofSeconds(1), Duration.ofSeconds(30));

    /** Searches without a result, in a time without a success: then the member starts again. */
    private static final int SEARCHES = 3;

    private static final Duration FORGIVEN = Duration.ofSeconds(30);

    private final BiConsumer<TopicPartition, Throwable> onChange;
    private final LongSupplier nanos;
    private final Map<TopicPartition, Fault> faults = new HashMap<>();
    private final Deque<TopicPartition> suspects = new ArrayDeque<>();
    private TopicPartition onTrial;
    private boolean again;
    private long trialEnds;
    private Throwable sought;
    private int searches;
    private long lastSearch;

    /** @param onChange told the failure of a partition, and null when it can be read again */
    PollFaults(BiConsumer<TopicPartition, Throwable> onChange, LongSupplier nanos) {
        this.onChange = onChange;
        this.nanos = nanos;
    }

    /** Whether all partitions may be read, as is usual. */
    boolean isNone() {
        return faults.isEmpty() && suspects.isEmpty() && onTrial == null;
    }

    /** Whether the next polls have to show which partition it is. */
    boolean isSearching() {
        return !suspects.isEmpty() || onTrial != null;
    }

    boolean mayRead(TopicPartition partition) {
        return partition.equals(onTrial) || !faults.containsKey(partition) && !suspects.contains(partition);
    }

    /** A partition that failed and is tried again now, or null: what the client has kept of it is as it was. */
    TopicPartition triedAgain() {
        return again ? onTrial : null;
    }

    /**
     * A poll has failed.
     *
     * @return whether a search begins
     * @throws Throwable the failure, when it is not for a partition that it failed
     */
    boolean failed(Throwable failure, Set<TopicPartition> assigned) throws Throwable {
        Set<TopicPartition> named = new HashSet<>(named(failure, assigned));
        if (!named.isEmpty()) {
            named.forEach(partition -> hold(partition, failure));
            return false;
        }
        if (onTrial != null) {
            hold(onTrial, again || sought == null ? failure : sought);
            return false;
        }
        long now = nanos.getAsLong();
        searches = now - lastSearch > FORGIVEN.toNanos() ? 1 : searches + 1;
        lastSearch = now;
        Set<TopicPartition> readable = new HashSet<>(assigned);
        readable.removeAll(faults.keySet());
        if (!suspects.isEmpty() || readable.isEmpty() || searches > SEARCHES) {
            throw failure;
        }
        suspects.addAll(readable);
        sought = failure;
        return true;
    }

    /**
     * A poll has not failed.
     *
     * @param lag of a partition, as far as it is known
     * @param takesMore whether anything else keeps a partition from being read
     */
    void succeeded(
            Set<TopicPartition> delivered,
            Function<TopicPartition, OptionalLong> lag,
            Predicate<TopicPartition> takesMore) {
        if (isNone()) {
            return;
        }
        long now = nanos.getAsLong();
        if (again) {
            again = false;
        } else if (onTrial != null
                && (delivered.contains(onTrial) || lag.apply(onTrial).orElse(1) == 0 || now - trialEnds > 0)) {
            if (faults.remove(onTrial) != null) {
                onChange.accept(onTrial, null);
            }
            onTrial = null;
        }
        suspects.removeIf(partition -> lag.apply(partition).orElse(1) == 0);
        if (onTrial == null) {
            onTrial = suspects.stream().filter(takesMore).findFirst().orElse(null);
            suspects.remove(onTrial);
            trialEnds = now + TRIAL.toNanos();
        }
        if (onTrial == null && suspects.isEmpty()) {
            sought = null;
            faults.entrySet().stream()
                    .filter(fault -> fault.getValue().retryAt - now <= 0 && takesMore.test(fault.getKey()))
                    .findFirst()
                    .ifPresent(fault -> {
                        onTrial = fault.getKey();
                        again = true;
                    });
        }
    }

    void forget(Collection<TopicPartition> partitions) {
        faults.keySet().removeAll(partitions);
        suspects.removeAll(partitions);
        if (onTrial != null && partitions.contains(onTrial)) {
            onTrial = null;
            again = false;
        }
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
                + BACKOFF.nanos(fault.attempts, ThreadLocalRandom.current().nextDouble());
        suspects.remove(partition);
        if (partition.equals(onTrial)) {
            onTrial = null;
            again = false;
        }
        searches = 0;
        onChange.accept(partition, failure);
    }

    private static final class Fault {

        private int attempts;
        private long retryAt;
    }
}
