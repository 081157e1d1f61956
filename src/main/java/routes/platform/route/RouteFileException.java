package routes.platform.route;

import org.apache.camel.RuntimeCamelException;

/**
 * Names the place in a route file that keeps a route from loading. Camel knows the line of every step but omits it from
 * its exceptions, so the code that has the step wraps them in this one.
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
