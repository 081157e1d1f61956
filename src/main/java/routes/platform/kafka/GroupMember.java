package routes.platform.kafka;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/**
 * Runs one member of a consumer group: joins it, polls until it stops, and leaves it. After a failure it rejoins, with
 * backoff. Its thread handles no record, so that a slow handler does not make it lose its membership.
 */
final class GroupMember implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(GroupMember.class);

    private static final Duration LEAVE_TIMEOUT = Duration.ofMillis(500);

    private static final Duration STOP_CHECK = Duration.ofMillis(100);

    private final String name;
    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final Function<PollBudget, Consumer<Object, Object>> clients;
    private final BiConsumer<Consumer<Object, Object>, ConsumerRebalanceListener> subscription;
    private final OffsetResetPolicy resetPolicy;
    private final OffsetCommitter committer;
    private final PartitionAssignment assignment;

    private final PollBudget budget = new PollBudget();
    private volatile boolean stopping;
    private volatile long drainDeadline;
    private volatile Throwable failure;

    /**
     * @param timeout for a request to the broker outside a poll
     * @param dispatchers makes the dispatcher of a partition, from the committed offset or null
     */
    GroupMember(
            String name,
            ConsumerSettings settings,
            FailureClassifier failures,
            Duration timeout,
            OffsetResetPolicy resetPolicy,
            Function<PollBudget, Consumer<Object, Object>> clients,
            BiConsumer<Consumer<Object, Object>, ConsumerRebalanceListener> subscription,
            BiFunction<TopicPartition, OffsetAndMetadata, PartitionDispatcher> dispatchers) {
        this.name = name;
        this.settings = settings;
        this.failures = failures;
        this.resetPolicy = resetPolicy;
        this.committer = new OffsetCommitter(name, timeout, failures);
        this.clients = clients;
        this.subscription = subscription;
        this.assignment =
                new PartitionAssignment(name, failures, resetPolicy, committer, dispatchers, this::drainDeadline);
    }

    /**
     * Runs until {@link #stop}. No failure ends it, not even an error of the JVM: {@link #failure()} shows the last
     * one.
     */
    @Override
    public void run() {
        for (int attempts = 1; !stopping; attempts++) {
            try {
                Consumer<Object, Object> client = clients.apply(budget);
                try {
                    PollLoop loop = join(client);
                    while (!stopping) {
                        loop.poll();
                        attempts = 1;
                        failure = null;
                    }
                } finally {
                    leave(client);
                }
            } catch (Throwable e) {
                if (stopping) {
                    return;
                }
                failure = e;
                log(e);
            }
            backOff(attempts);
        }
    }

    private void log(Throwable e) {
        try {
            LOG.error("{}: rejoins the group after {}: {}", name, failures.describe(e), failures.stack(e));
        } catch (Error full) {
            // the thread has to survive a full heap, too; health shows the failure
            failure = full;
        }
    }

    /** @param deadline in nanoTime, until which the member waits for exchanges in flight */
    void stop(long deadline) {
        drainDeadline = deadline;
        stopping = true;
    }

    /** Stays in the group, but reads nothing and starts no exchange. */
    void suspend() {
        assignment.suspend();
    }

    void resume() {
        assignment.resume();
    }

    /** Returns the dispatchers of the partitions that it has now, for any thread. */
    Map<TopicPartition, PartitionDispatcher> dispatchers() {
        return assignment.dispatchers();
    }

    PartitionAssignment assignment() {
        return assignment;
    }

    /** Returns why it cannot poll, or null. */
    Throwable failure() {
        return failure;
    }

    private PollLoop join(Consumer<Object, Object> client) {
        committer.join(client);
        assignment.join(client);
        subscription.accept(client, assignment);
        return new PollLoop(
                name, client, settings, failures, resetPolicy, budget, committer, assignment, () -> stopping);
    }

    private void leave(Consumer<Object, Object> client) {
        assignment.leave();
        try {
            client.close(LEAVE_TIMEOUT);
        } catch (RuntimeException e) {
            LOG.info("{}: the client closed with {}", name, e.getClass().getName());
        }
    }

    private long drainDeadline() {
        return stopping
                ? drainDeadline
                : System.nanoTime() + settings.drainTimeout().toNanos();
    }

    private void backOff(int attempts) {
        long until = System.nanoTime()
                + settings.backoffNanos(attempts, ThreadLocalRandom.current().nextDouble());
        try {
            while (!stopping && System.nanoTime() - until < 0) {
                TimeUnit.MILLISECONDS.sleep(STOP_CHECK.toMillis());
            }
        } catch (InterruptedException e) {
            stopping = true;
        }
    }
}
