package routes.platform.error;

/**
 * One record of a batch is poison, or cannot be read before a dependency is back, and it is known which: the consumer takes it out without
 * looking for it, and goes on with those before it. The cause says why.
 */
public class FailedRecordInBatchException extends RuntimeException {

    private final int index;

    /** @param index of the record in the batch, from 0; those before it are not known to fail */
    public FailedRecordInBatchException(int index, Exception cause) {
        super(null, cause, false, false);
        this.index = index;
    }

    public int index() {
        return index;
    }
}
