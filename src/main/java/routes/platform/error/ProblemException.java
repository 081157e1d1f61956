package routes.platform.error;

/** Something that the other side did, with the HTTP status that says so. Its message names what is wrong and where, never a value. */
public class ProblemException extends RuntimeException {

    private final int status;
    private final boolean temporary;

    /**
     * @param status an HTTP status of 400 and above
     * @param error one line that may be shown to anybody
     */
    public ProblemException(int status, String error) {
        this(status, error, status == 429 || status == 503);
    }

    private ProblemException(int status, String error, boolean temporary) {
        super(error);
        this.status = status;
        this.temporary = temporary;
    }

    /** One that goes away by itself: the answer says when to come again. */
    public static ProblemException temporary(int status, String error) {
        return new ProblemException(status, error, true);
    }

    public int status() {
        return status;
    }

    public boolean isTemporary() {
        return temporary;
    }
}
