package routes.platform.error;

/** Something that the other side did, with the HTTP status that says so. Its message names what is wrong and where, never a value. */
public class ProblemException extends RuntimeException {

    private final int status;

    /**
     * @param status an HTTP status of 400 and above
     * @param error one line that may be shown to anybody
     */
    public ProblemException(int status, String error) {
        super(error);
        this.status = status;
    }

    public int status() {
        return status;
    }
}
