package routes.platform.kafka;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import routes.platform.error.RecordInBatchException;

/**
 * The records that are handled one after the other: those of a key, or in batches all of a partition. Of a batch that failed it knows
 * how much is tried next: what comes before the record that fails, where that is known, else half of it, until it is alone. Guarded by
 * the lock of its partition's work, but for {@link #run()}.
 */
final class Lane implements Runnable {

    private static final int UNKNOWN = -1;

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
        this.limit = batch;
        this.turn = turn;
    }

    @Override
    public void run() {
        turn.accept(this);
    }

    List<OffsetWindow.Entry> next() {
        int size = beforeFailing > 0 ? beforeFailing : beforeFailing == 0 ? 1 : limit;
        return size == 1
                ? List.of(entries.peek())
                : entries.stream().limit(size).toList();
    }

    /** @param known which record of the batch fails, or null */
    void split(int size, RecordInBatchException known) {
        beforeFailing = known == null ? UNKNOWN : known.index();
        if (known == null) {
            limit = size / 2;
        }
    }

    /** The next batch may be larger again. */
    void succeeded() {
        if (beforeFailing >= 0) {
            beforeFailing = beforeFailing > 0 ? 0 : UNKNOWN;
        } else {
            limit = Math.min(batch, limit * 2);
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
