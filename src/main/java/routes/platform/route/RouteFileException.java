package routes.platform.route;

import org.apache.camel.RuntimeCamelException;

/**
 * A route cannot be built because of one place in its file. Camel knows the line of every step but leaves it out of its own
 * exceptions, so whoever finds the fault while the step is at hand throws this around it.
 */
final class RouteFileException extends RuntimeCamelException {

    private final transient RouteProblem problem;

    RouteFileException(String file, int line, Exception cause) {
        super(cause);
        this.problem = new RouteProblem(file, line, 0, RouteProblem.message(cause));
    }

    RouteProblem problem() {
        return problem;
    }

    @Override
    public String getMessage() {
        return problem.toString();
    }
}
