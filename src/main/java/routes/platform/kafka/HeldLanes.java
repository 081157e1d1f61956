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

/** Keeps the lanes of a partition whose record has failed and waits for its retry. Not thread-safe. */
final class HeldLanes {

    private static final Logger LOG = LoggerFactory.getLogger(HeldLanes.class);

    private final String name;
    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final int most;
    private final Set<Lane> held = new LinkedHashSet<>();

    /**
     * @param name topic, partition and group, for the log
     * @param most the number of held lanes that holds the whole partition
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

    /** Releases a lane, and retries the others immediately: their dependency may be back, too. */
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

    /** Returns the lanes whose backoff is over. */
    List<Lane> due(long now) {
        return held.stream()
                .filter(lane -> !lane.running && lane.retryAt - now <= 0)
                .toList();
    }

    /** Returns whether no other lane of the partition runs until a held one succeeds. */
    boolean holdThePartition() {
        return !held.isEmpty()
                && (held.size() >= most
                        || held.stream()
                                .anyMatch(lane -> failures.find(lane.failure, BrakeAppliedException.class) != null));
    }

    /** @param running the number of lanes of the partition that run, held or not */
    boolean areAllThatRun(int running) {
        return !held.isEmpty() && held.stream().filter(lane -> lane.running).count() == running;
    }

    /** Returns why the first lane is held. */
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
