package routes.platform.error;

/**
 * A route has made too many dead letters for unknown failures in a short time: it makes no more, and the partitions whose records fail
 * are held. Each retry of a held record tests whether the route works again.
 */
public class BrakeAppliedException extends ProblemException {

    public BrakeAppliedException(String error) {
        super(503, error);
    }
}
