package routes.platform.error;

/** One record of a batch is poison, and it is known which: the consumer takes it out without looking for it. The cause says why. */
public class RecordInBatchException extends RuntimeException {

    private final int index;

    /** @param index of the record in the batch, from 0; those before it are not known to be poison */
    public RecordInBatchException(int index, ProblemException problem) {
        super(null, problem, false, false);
        this.index = index;
    }

    public int index() {
        return index;
    }
}
