package routes.platform.kafka;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import routes.platform.error.FailedRecordInBatchException;

/**
 * The records that are handled one after the other: those of a key, or in batches all of a partition. Of a batch that failed it knows
 * how much is tried next: what comes before the record that fails, where that is known, else half of it, until it is alone. Guarded by
 * the lock of its partition's work, but for {@link #run()}.
 */
final class Lane implements Runnable {

    private static final int UNKNOWN = -1;

    /** The first batch; the next one is twice as large, and so on. */
    private static final int FIRST = 8;

    /** What runs when a process dies comes again, so a batch takes no longer, and its transaction is still a small part of that. */
    private static final long LONG_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    final Object key;
    final Deque<OffsetWindow.Entry> entries = new ArrayDeque<>(1);

    /** It has records, and is running, waiting or held. */
    boolean scheduled;

    boolean running;
    int failures;

    /** Those of them that nobody has classified: after some, the record is a dead letter. */
    int unknownFailures;

    /** Of the last attempt, while it is held; or null. */
    Throwable failure;

    long retryAt;

    /** When the batch began that runs. */
    private long began;

    private final Consumer<Lane> turn;
    private final int batch;
    private int limit;

    /** How many records come before one that is known to fail: they are the next batch, and then it alone. */
    private int beforeFailing = UNKNOWN;

    /**
     * @param batch how many records may be handled together
     * @param turn runs it
     */
    Lane(Object key, int batch, Consumer<Lane> turn) {
        this.key = key;
        this.batch = batch;
        this.limit = Math.min(FIRST, batch);
        this.turn = turn;
    }

    @Override
    public void run() {
        turn.accept(this);
    }

    List<OffsetWindow.Entry> next(LongSupplier nanos) {
        if (batch > 1) {
            began = nanos.getAsLong();
        }
        int size = beforeFailing > 0 ? beforeFailing : beforeFailing == 0 ? 1 : limit;
        return size == 1
                ? List.of(entries.peek())
                : entries.stream().limit(size).toList();
    }

    /** @param known which record of the batch fails, or null */
    void split(int size, FailedRecordInBatchException known) {
        beforeFailing = known == null ? UNKNOWN : known.index();
        if (known == null) {
            limit = size / 2;
        }
    }

    /** The next batch may be larger, or has to be smaller. */
    void succeeded(LongSupplier nanos) {
        if (beforeFailing >= 0) {
            beforeFailing = beforeFailing > 0 ? 0 : UNKNOWN;
        } else if (batch > 1) {
            long took = nanos.getAsLong() - began;
            if (took > LONG_NANOS) {
                limit = Math.max(1, limit / 2);
            } else if (took <= LONG_NANOS / 2) {
                limit = Math.min(batch, limit * 2);
            }
        }
    }

    void failed(Throwable why, boolean unknown, long now, ConsumerSettings settings) {
        failures++;
        failure = why;
        if (unknown) {
            unknownFailures++;
        }
        retryAt = now
                + settings.backoffNanos(failures, ThreadLocalRandom.current().nextDouble());
    }

    void released() {
        failures = 0;
        unknownFailures = 0;
        failure = null;
    }
}
