package routes.platform.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.actuate.health.Health;
import routes.platform.projection.OwnSchema;

class ClockSkewHealthIT {

    private static OwnSchema own;

    @BeforeAll
    static void connect() {
        own = new OwnSchema();
    }

    @AfterAll
    static void close() {
        own.close();
    }

    @ParameterizedTest
    @CsvSource({"PT0S, UP", "PT50S, UP", "PT-50S, UP", "PT70S, DOWN", "PT-70S, DOWN", "PT6M, DOWN"})
    void isDownWhenTheClocksDifferByMoreThanAMinute(Duration ahead, String status) {
        Health health = new ClockSkewHealth(own.jdbc, Clock.offset(Clock.systemUTC(), ahead)).health();

        assertThat(health.getStatus().getCode()).isEqualTo(status);
        assertThat((long) health.getDetails().get("aheadOfDatabaseMs"))
                .isBetween(ahead.toMillis() - 1000, ahead.toMillis() + 1000);
    }
}
