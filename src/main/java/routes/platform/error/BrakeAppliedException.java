package routes.platform.error;

/**
 * Refuses a dead letter: the route has made too many of them for unknown failures. The partition of the failed record
 * is held, and each retry tests whether the route works again.
 */
public class BrakeAppliedException extends ProblemException {

    public BrakeAppliedException(String error) {
        super(503, error);
    }
}
