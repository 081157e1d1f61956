package routes.platform.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.spi.FilterReply;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RepeatedWarningFilterTest {

    private static final String DOWN = "[AdminClient] Connection to node -1 could not be established.";

    private final RepeatedWarningFilter filter = new RepeatedWarningFilter();
    private final LoggerContext logback = new LoggerContext();
    private final Logger network = logback.getLogger(RepeatedWarningFilter.LOGGER);

    @Test
    void passesTheSameWarningOnceAMinute() {
        long second = Duration.ofSeconds(1).toNanos();

        assertThat(filter.passes(DOWN, second)).isTrue();
        assertThat(filter.passes(DOWN, 2 * second)).isFalse();
        assertThat(filter.passes(DOWN, 60 * second)).isFalse();
        assertThat(filter.passes(DOWN, 61 * second)).isTrue();
        assertThat(filter.passes(DOWN, 62 * second)).isFalse();
    }

    @Test
    void passesEverythingElse() {
        assertThat(decide(network, Level.WARN, DOWN)).isEqualTo(FilterReply.NEUTRAL);
        assertThat(decide(network, Level.WARN, DOWN)).isEqualTo(FilterReply.DENY);
        assertThat(decide(network, Level.WARN, "another warning")).isEqualTo(FilterReply.NEUTRAL);
        assertThat(decide(network, Level.ERROR, DOWN)).isEqualTo(FilterReply.NEUTRAL);
        assertThat(decide(logback.getLogger("another"), Level.WARN, DOWN)).isEqualTo(FilterReply.NEUTRAL);
    }

    private FilterReply decide(Logger logger, Level level, String message) {
        return filter.decide(new LoggingEvent("", logger, level, message, null, null));
    }
}
