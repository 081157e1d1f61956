package routes.platform.error;

/** What should be JSON is not. */
public class MalformedJsonException extends ProblemException {

    public MalformedJsonException(String error) {
        super(400, error);
    }
}
