package routes.platform.event;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import routes.platform.error.InvalidMetadataException;

class ClockSkewLimitTest {

    private static final long NOW = 1_800_000_000_000L;
    private static final long MINUTE = 60_000;

    private final Clock clock = Clock.fixed(Instant.ofEpochMilli(NOW), ZoneOffset.UTC);
    private final Clock tomorrow = Clock.offset(clock, Duration.ofDays(1));
    private final Clock yesterday = Clock.offset(clock, Duration.ofDays(-1));

    @Test
    void acceptsEventsUpToFiveMinutesAhead() {
        assertThatCode(() -> ClockSkewLimit.check(0, clock)).doesNotThrowAnyException();
        assertThatCode(() -> ClockSkewLimit.check(NOW + 5 * MINUTE, clock)).doesNotThrowAnyException();
        assertThatThrownBy(() -> ClockSkewLimit.check(NOW + 5 * MINUTE + 1, clock))
                .isInstanceOf(InvalidMetadataException.class)
                .hasMessage("the timestamp is more than 5 minutes ahead");
    }

    @Test
    void comparesARecordWithItsOwnTimestamp() {
        for (Clock any : new Clock[] {clock, tomorrow}) {
            assertThatCode(() -> ClockSkewLimit.check(NOW + 5 * MINUTE, NOW, any))
                    .doesNotThrowAnyException();
            assertThatThrownBy(() -> ClockSkewLimit.check(NOW + 5 * MINUTE + 1, NOW, any))
                    .isInstanceOf(InvalidMetadataException.class);
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "-60000", "-3000000"})
    void trustsTheBrokerWhenTheClockIsBehind(long difference) {
        Clock behind = Clock.offset(clock, Duration.ofMillis(difference));

        assertThatCode(() -> ClockSkewLimit.check(NOW, NOW, behind)).doesNotThrowAnyException();
    }

    @Test
    void refusesARecordOfTheYear9999() {
        long year9999 = 253_000_000_000_000L;

        assertThatThrownBy(() -> ClockSkewLimit.check(year9999, year9999, clock))
                .isInstanceOf(InvalidMetadataException.class);
    }

    @Test
    void comparesWithTheClockWithoutATimestamp() {
        assertThatCode(() -> ClockSkewLimit.check(NOW, -1, clock)).doesNotThrowAnyException();
        assertThatThrownBy(() -> ClockSkewLimit.check(NOW, -1, yesterday)).isInstanceOf(InvalidMetadataException.class);
    }
}
