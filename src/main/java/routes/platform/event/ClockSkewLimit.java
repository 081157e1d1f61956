package routes.platform.event;

import java.time.Clock;
import java.time.Duration;
import routes.platform.error.InvalidMetadataException;

/**
 * How far ahead an event may be dated. Clocks differ a little; an event of the year 9999 would win over everything that comes after it.
 *
 * <p>A record is judged by its own timestamp and not by the clock, so that every group, today and in a replay, comes to the same. That
 * is the broker's time on topics with LogAppendTime, as the contract has it ({@code docs/adr/0014-projections-and-replay.md}).
 */
public final class ClockSkewLimit {

    private static final Duration AHEAD = Duration.ofMinutes(5);

    /** What brokers let the timestamp of a record be ahead, where producers set it. */
    private static final Duration RECORD_AHEAD = Duration.ofHours(1);

    private ClockSkewLimit() {}

    /**
     * Of an event that is sent now.
     *
     * @param timestamp epoch milliseconds
     * @throws InvalidMetadataException when it is too far ahead
     */
    public static void check(long timestamp, Clock clock) {
        requireBefore(clock.millis(), timestamp);
    }

    /**
     * Of an event in a record.
     *
     * @param timestamp epoch milliseconds
     * @param ofRecord when its record was written, epoch milliseconds; negative when that is not known
     * @throws InvalidMetadataException when it is too far ahead
     */
    static void check(long timestamp, long ofRecord, Clock clock) {
        long now = clock.millis();
        requireBefore(ofRecord < 0 ? now : Math.min(ofRecord, now + RECORD_AHEAD.toMillis()), timestamp);
    }

    private static void requireBefore(long now, long timestamp) {
        if (timestamp > now + AHEAD.toMillis()) {
            throw new InvalidMetadataException("the timestamp is more than 5 minutes ahead");
        }
    }
}
