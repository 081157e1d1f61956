package routes.platform.kafka;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.FailureClassifier;

/**
 * Hands over the records of a partition in batches. Batches grow while they are fast and shrink while they are slow.
 * After a failure it isolates the record that caused it. If the failure names the record, the next batch ends before
 * it; otherwise the batch is halved until the record is alone.
 */
final class BatchLane extends Lane {

    private static final int UNKNOWN = -1;

    private static final int FIRST_BATCH = 8;

    /**
     * The longest time for a batch. A batch in flight is redelivered after a crash, so it stays short; its transaction
     * is still a small part of that time.
     */
    private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final int maxBatch;
    private int batchSize;
    private long startedAt;

    /** The number of records before the one that failed: they are the next batch, and then that record alone. */
    private int beforeFailed = UNKNOWN;

    BatchLane(Object key, int maxBatch, Consumer<Lane> turn) {
        super(key, turn);
        this.maxBatch = maxBatch;
        this.batchSize = Math.min(FIRST_BATCH, maxBatch);
    }

    @Override
    List<OffsetWindow.Entry> next(LongSupplier nanos) {
        startedAt = nanos.getAsLong();
        int size = beforeFailed > 0 ? beforeFailed : beforeFailed == 0 ? 1 : batchSize;
        return size == 1
                ? List.of(entries.peek())
                : entries.stream().limit(size).toList();
    }

    @Override
    boolean narrow(Throwable failure, int size, FailureClassifier classifier) {
        if (size == 1) {
            return false;
        }
        FailedRecordInBatchException named = classifier.find(failure, FailedRecordInBatchException.class);
        if (named != null) {
            beforeFailed = named.index();
            return true;
        }
        if (classifier.isDependencyDown(failure)) {
            return false;
        }
        beforeFailed = UNKNOWN;
        batchSize = size / 2;
        return true;
    }

    @Override
    void succeeded(LongSupplier nanos) {
        if (beforeFailed >= 0) {
            beforeFailed = beforeFailed > 0 ? 0 : UNKNOWN;
            return;
        }
        long took = nanos.getAsLong() - startedAt;
        if (took > SLOW_NANOS) {
            batchSize = Math.max(1, batchSize / 2);
        } else if (took <= SLOW_NANOS / 2) {
            batchSize = Math.min(maxBatch, batchSize * 2);
        }
    }
}
