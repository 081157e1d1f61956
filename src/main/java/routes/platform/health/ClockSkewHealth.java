package routes.platform.health;

import java.time.Clock;
import java.time.Duration;
import java.time.OffsetDateTime;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.Status;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * How far this instance's clock is from the database's. The instance dates events by its own clock, and all readers refuse an event that is dated
 * too far ahead: {@code ready} fails before that, so that the instance gets no requests.
 */
@Component("clockHealthIndicator")
class ClockSkewHealth extends AbstractHealthIndicator {

    /** A fifth of what an event may be ahead; tokens allow as much. */
    private static final Duration MOST = Duration.ofMinutes(1);

    private final JdbcClient jdbc;
    private final Clock clock;

    @Autowired
    ClockSkewHealth(JdbcClient jdbc) {
        this(jdbc, Clock.systemUTC());
    }

    ClockSkewHealth(JdbcClient jdbc, Clock clock) {
        super("the database does not say what time it is");
        this.jdbc = jdbc;
        this.clock = clock;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        OffsetDateTime database =
                jdbc.sql("select clock_timestamp()").query(OffsetDateTime.class).single();
        Duration ahead = Duration.between(database.toInstant(), clock.instant());
        builder.status(ahead.abs().compareTo(MOST) <= 0 ? Status.UP : Status.DOWN)
                .withDetail("aheadOfDatabaseMs", ahead.toMillis());
    }
}
