package routes.platform.health;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.springframework.stereotype.Component;

/**
 * Lets each warning of Kafka's network client through once a minute. While a broker is down every client repeats the same one with every
 * attempt to connect, some a second; a warning that says something else is never held back.
 */
@Component
final class RepeatedWarnings extends TurboFilter {

    static final String LOGGER = "org.apache.kafka.clients.NetworkClient";

    private static final long INTERVAL_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int MOST = 1000;

    private final Map<String, Long> passed = new ConcurrentHashMap<>();

    RepeatedWarnings() {
        ILoggerFactory factory = LoggerFactory.getILoggerFactory();
        if (factory instanceof LoggerContext logback) {
            // one only, also when an application is started again in the same process
            logback.getTurboFilterList().removeIf(RepeatedWarnings.class::isInstance);
            logback.addTurboFilter(this);
        }
    }

    @Override
    public FilterReply decide(
            Marker marker, Logger logger, Level level, String format, Object[] params, Throwable thrown) {
        if (format == null || level != Level.WARN || !LOGGER.equals(logger.getName())) {
            return FilterReply.NEUTRAL;
        }
        return passes(format, System.nanoTime()) ? FilterReply.NEUTRAL : FilterReply.DENY;
    }

    boolean passes(String message, long now) {
        if (passed.size() > MOST) {
            passed.clear();
        }
        return passed.compute(message, (m, last) -> last == null || now - last >= INTERVAL_NANOS ? now : last) == now;
    }
}
