package routes.platform.error;

/** Refuses text that is not JSON. */
public class MalformedJsonException extends ProblemException {

    public MalformedJsonException(String error) {
        super(400, error);
    }
}
