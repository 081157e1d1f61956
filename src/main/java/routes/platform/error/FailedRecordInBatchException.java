package routes.platform.error;

/**
 * Names the record of a batch that fails, so that the consumer isolates it without a search. The cause is the failure:
 * poison, or a dependency that is down.
 */
public class FailedRecordInBatchException extends RuntimeException {

    private final int index;

    /** @param index of the record in the batch, from 0; no record before it is known to fail */
    public FailedRecordInBatchException(int index, Exception cause) {
        super(null, cause, false, false);
        this.index = index;
    }

    public int index() {
        return index;
    }
}
