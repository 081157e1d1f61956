package routes.platform.health;

import org.flywaydb.core.internal.exception.FlywaySqlException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;

/** Explains in one sentence a start that failed because of the database, without a stack trace. */
final class DatabaseFailureAnalyzer extends AbstractFailureAnalyzer<FlywaySqlException> {

    private final Environment environment;

    DatabaseFailureAnalyzer(Environment environment) {
        this.environment = environment;
    }

    @Override
    protected FailureAnalysis analyze(Throwable root, FlywaySqlException failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new FailureAnalysis(
                "The database of spring.datasource.url does not answer: %s (%s)"
                        .formatted(environment.getProperty("spring.datasource.url"), cause.getMessage()),
                "Start it, or correct spring.datasource.*.",
                failure);
    }
}
