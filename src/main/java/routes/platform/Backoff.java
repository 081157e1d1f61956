package routes.platform;

import java.time.Duration;

/**
 * Computes exponential backoff.
 *
 * @param initial before the first retry; doubles with each failure
 * @param max the longest delay
 */
public record Backoff(Duration initial, Duration max) {

    private static final int MAX_DOUBLINGS = 30;

    /** @param failures consecutive failures, at least 1 */
    public Duration delay(int failures) {
        if (failures > MAX_DOUBLINGS) {
            return max;
        }
        Duration delay = initial.multipliedBy(1L << (failures - 1));
        return delay.compareTo(max) < 0 ? delay : max;
    }

    /**
     * The delay with jitter: between half of it and all of it.
     *
     * @param random from 0 to 1
     */
    public Duration jittered(int failures, double random) {
        return Duration.ofNanos((long) (delay(failures).toNanos() * (0.5 + random / 2)));
    }
}
