package routes.platform.route;

import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.env.Environment;

/**
 * Explains a route file that does not load as Spring Boot explains a failed start: description and action, no stack
 * trace.
 */
final class InvalidRouteFailureAnalyzer implements FailureAnalyzer {

    private final Environment environment;

    InvalidRouteFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    public FailureAnalysis analyze(Throwable failure) {
        var files = new RouteFiles(environment.getProperty("camel.main.routes-include-pattern", "classpath:camel/*"));
        return RouteProblem.behind(failure, files)
                .map(problem -> new FailureAnalysis(
                        "A route does not load:\n\n    " + problem, "Correct that line and start again.", failure))
                .orElse(null);
    }
}
