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
 * Compares this instance's clock with the database's. The instance dates events by its clock. Readers refuse events
 * that are dated too far in the future. {@code ready} fails earlier, so that the instance gets no requests.
 */
@Component("clockHealthIndicator")
class ClockSkewHealth extends AbstractHealthIndicator {

    /** A fifth of the allowed lead of an event, and the allowed skew of tokens. */
    private static final Duration MAX_SKEW = Duration.ofMinutes(1);

    private final JdbcClient jdbc;
    private final Clock clock;

    @Autowired
    ClockSkewHealth(JdbcClient jdbc) {
        this(jdbc, Clock.systemUTC());
    }

    ClockSkewHealth(JdbcClient jdbc, Clock clock) {
        super("the database does not return the time");
        this.jdbc = jdbc;
        this.clock = clock;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        OffsetDateTime database =
                jdbc.sql("select clock_timestamp()").query(OffsetDateTime.class).single();
        Duration ahead = Duration.between(database.toInstant(), clock.instant());
        builder.status(ahead.abs().compareTo(MAX_SKEW) <= 0 ? Status.UP : Status.DOWN)
                .withDetail("aheadOfDatabaseMs", ahead.toMillis());
    }
}
