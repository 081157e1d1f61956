package routes.platform.fhir;

import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggerConfiguration;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.stereotype.Component;

/**
 * Keeps the levels at which FHIR clients log requests and answers switched off, even when an operator asks for them:
 * their lines hold patients and credentials.
 */
@Component
class FhirLogLevels {

    private static final Logger LOG = LoggerFactory.getLogger(FhirLogLevels.class);

    /** The lowest levels without such lines, for each package and those below it. */
    private static final Map<String, LogLevel> LOWEST = Map.of(
            "ca.uhn.fhir",
            LogLevel.WARN,
            "org.apache.http",
            LogLevel.WARN,
            // arguments of fhir: endpoints
            "org.apache.camel.support.component",
            LogLevel.INFO,
            "org.apache.camel.component.fhir",
            LogLevel.INFO,
            "routes.platform.fhir",
            LogLevel.INFO);

    FhirLogLevels(LoggingSystem logging) {
        LOWEST.forEach((name, lowest) -> {
            // creates the logger, so that it does not inherit another level later
            LoggerFactory.getLogger(name);
            logging.getLoggerConfigurations().stream()
                    .filter(logger -> isIn(name, logger) && isBelow(lowest, logger))
                    .forEach(logger -> raise(logging, logger, lowest));
        });
    }

    private static boolean isIn(String name, LoggerConfiguration logger) {
        return logger.getName().equals(name) || logger.getName().startsWith(name + ".");
    }

    private static boolean isBelow(LogLevel lowest, LoggerConfiguration logger) {
        return logger.getEffectiveLevel() != null && logger.getEffectiveLevel().compareTo(lowest) < 0;
    }

    private static void raise(LoggingSystem logging, LoggerConfiguration logger, LogLevel lowest) {
        logging.setLogLevel(logger.getName(), lowest);
        if (logger.getConfiguredLevel() != null) {
            LOG.warn("the log level of {} is {}: below it are patients and credentials", logger.getName(), lowest);
        }
    }
}
