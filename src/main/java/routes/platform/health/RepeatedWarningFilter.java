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
 * Lets each warning of Kafka's network client through once a minute. While a broker is down every client repeats the same one with every
 * attempt to connect, some a second; a warning that says something else is never held back.
 */
@Component
final class RepeatedWarningFilter extends Filter<ILoggingEvent> {

    static final String LOGGER = "org.apache.kafka.clients.NetworkClient";

    private static final long INTERVAL_NANOS = Duration.ofMinutes(1).toNanos();
    private static final int MOST = 1000;

    private final Map<String, Long> passed = new ConcurrentHashMap<>();

    RepeatedWarningFilter() {
        // at the appenders: a filter of the whole context would be asked for every statement that logs nothing, too
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
        if (passed.size() > MOST) {
            passed.clear();
        }
        return passed.compute(message, (m, last) -> last == null || now - last >= INTERVAL_NANOS ? now : last) == now;
    }
}
