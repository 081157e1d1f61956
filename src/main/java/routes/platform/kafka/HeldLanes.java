package routes.platform.kafka;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.BrakeAppliedException;
import routes.platform.error.DeadLetterException;
import routes.platform.error.FailureClassifier;

/** The lanes of a partition whose record has failed and waits for a retry. Not for several threads. */
final class HeldLanes {

    private static final Logger LOG = LoggerFactory.getLogger(PartitionDispatcher.class);

    private final String name;
    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final int most;
    private final Set<Lane> held = new LinkedHashSet<>();

    /**
     * @param name of topic, partition and group, for the log
     * @param most that may be held before the partition is
     */
    HeldLanes(String name, ConsumerSettings settings, FailureClassifier failures, int most) {
        this.name = name;
        this.settings = settings;
        this.failures = failures;
        this.most = most;
    }

    void hold(Lane lane, Throwable failure, long now) {
        lane.failed(failure, failures.kind(failure) == FailureClassifier.Kind.UNKNOWN, now, settings);
        held.add(lane);
        if (lane.failures == 1) {
            LOG.warn("held: {}, offset {}: {}", name, lane.entries.peek().offset(), failures.describe(failure));
        }
    }

    /** What held this one back may be over for the others too: they try at once. */
    void release(Lane lane, long offset, long now) {
        held.remove(lane);
        LOG.info("released: {}, offset {}, after {} failures", name, offset, lane.failures);
        lane.released();
        held.forEach(other -> other.retryAt = now);
    }

    void clear() {
        held.clear();
    }

    boolean contains(Lane lane) {
        return held.contains(lane);
    }

    int count() {
        return held.size();
    }

    List<Lane> due(long now) {
        return held.stream()
                .filter(lane -> !lane.running && lane.retryAt - now <= 0)
                .toList();
    }

    /** Whether no other lane of the partition runs until one of them succeeds. */
    boolean holdThePartition() {
        return !held.isEmpty()
                && (held.size() >= most
                        || held.stream()
                                .anyMatch(lane -> failures.find(lane.failure, BrakeAppliedException.class) != null));
    }

    /** @param running lanes of the partition, held or not */
    boolean areAllThatRun(int running) {
        return !held.isEmpty() && held.stream().filter(lane -> lane.running).count() == running;
    }

    Throwable failure() {
        return held.iterator().next().failure;
    }

    Optional<Throwable> refusedDeadLetter() {
        return held.stream()
                .map(lane -> lane.failure)
                .filter(DeadLetterException.class::isInstance)
                .findFirst();
    }
}
