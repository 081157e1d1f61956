package routes.platform.error;

/** One record of a batch is poison, and it is known which: the consumer takes it out without looking for it. */
public class RecordInBatchException extends ProblemException {

    private final int index;

    /** @param index of the record in the batch, from 0; those before it are not known to be poison */
    public RecordInBatchException(int index, ProblemException problem) {
        super(problem.status(), problem.getMessage());
        this.index = index;
    }

    public int index() {
        return index;
    }
}
