package routes.platform.kafka;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import routes.platform.error.FailureClassifier;

/**
 * Records of a partition that are handled in order, one exchange at a time. The lock of its dispatcher guards a lane,
 * except {@link #run()}.
 */
abstract class Lane implements Runnable {

    /** Null for a record without a key: it shares its lane with no other record. */
    final Object key;

    final Deque<OffsetWindow.Entry> entries = new ArrayDeque<>(1);

    /** True while it has records: it runs, waits or is held. */
    boolean scheduled;

    boolean running;

    /** Consecutive failures. */
    int failures;

    /** Consecutive unclassified failures. */
    int unknownFailures;

    /** The failure of the last attempt while the lane is held; otherwise null. */
    Throwable failure;

    /** The time of the next attempt while the lane is held, in nanoseconds. */
    long retryAt;

    private final Consumer<Lane> turn;

    /** @param turn handles some of its records, on a worker */
    Lane(Object key, Consumer<Lane> turn) {
        this.key = key;
        this.turn = turn;
    }

    @Override
    public final void run() {
        turn.accept(this);
    }

    /** Returns the records of the next exchange, without taking them off the lane. */
    abstract List<OffsetWindow.Entry> next(LongSupplier nanos);

    /**
     * Narrows the next exchange down to fewer records, when one record of a batch has failed.
     *
     * @param size the number of records in the batch
     * @return whether fewer records run next; otherwise the lane is held
     */
    abstract boolean narrow(Throwable failure, int size, FailureClassifier classifier);

    abstract void succeeded(LongSupplier nanos);

    final void failed(Throwable why, boolean unknown, long now, ConsumerSettings settings) {
        failures++;
        failure = why;
        if (unknown) {
            unknownFailures++;
        }
        retryAt = now
                + settings.backoffNanos(failures, ThreadLocalRandom.current().nextDouble());
    }

    final void released() {
        failures = 0;
        unknownFailures = 0;
        failure = null;
    }
}
