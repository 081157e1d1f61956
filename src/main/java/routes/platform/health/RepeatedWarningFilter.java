package routes.platform.health;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Passes each warning of Kafka's network client once a minute. While a broker is down, every client repeats the same
 * warning with each attempt to connect, some a second. The filter never drops a different warning.
 */
@Component
final class RepeatedWarningFilter extends Filter<ILoggingEvent> {

    static final String LOGGER = "org.apache.kafka.clients.NetworkClient";

    private static final long INTERVAL_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int MAX_WARNINGS = 1000;

    private final Map<String, Long> passed = new ConcurrentHashMap<>();

    RepeatedWarningFilter() {
        // on the appenders: a filter of the whole context would run for disabled statements, too
        if (LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME) instanceof Logger root) {
            root.iteratorForAppenders().forEachRemaining(appender -> appender.addFilter(this));
        }
    }

    @Override
    public FilterReply decide(ILoggingEvent event) {
        if (event.getLevel() != Level.WARN || !LOGGER.equals(event.getLoggerName())) {
            return FilterReply.NEUTRAL;
        }
        return passes(event.getFormattedMessage(), System.nanoTime()) ? FilterReply.NEUTRAL : FilterReply.DENY;
    }

    boolean passes(String message, long now) {
        if (passed.size() > MAX_WARNINGS) {
            passed.clear();
        }
        return passed.compute(message, (m, last) -> last == null || now - last >= INTERVAL_NANOS ? now : last) == now;
    }
}
