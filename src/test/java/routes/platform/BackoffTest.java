package routes.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private final Backoff backoff = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(3));

    @Test
    void doublesTheDelayWithEachFailureUpToTheLongest() {
        assertThat(backoff.delay(1)).isEqualTo(Duration.ofMillis(200));
        assertThat(backoff.delay(4)).isEqualTo(Duration.ofMillis(1600));
        assertThat(backoff.delay(5)).isEqualTo(Duration.ofSeconds(3));
        assertThat(backoff.delay(Integer.MAX_VALUE)).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void jittersBetweenHalfTheDelayAndAllOfIt() {
        assertThat(backoff.jittered(1, 0)).isEqualTo(Duration.ofMillis(100));
        assertThat(backoff.jittered(1, 1)).isEqualTo(Duration.ofMillis(200));
    }
}
