package routes.platform.event;

import java.time.Clock;
import java.time.Duration;
import routes.platform.error.InvalidMetadataException;

/**
 * Refuses events that are dated too far in the future: an event of the year 9999 would supersede all later ones.
 *
 * <p>For a record it compares with the record's timestamp and not with the clock, so that every group and every replay
 * decides alike. With LogAppendTime, as in the contract, that is the broker's time
 * ({@code docs/adr/0014-projections-and-replay.md}).
 */
public final class ClockSkewLimit {

    private static final Duration AHEAD = Duration.ofMinutes(5);

    /** The farthest into the future that brokers accept the timestamp of a record, where producers set it. */
    private static final Duration RECORD_AHEAD = Duration.ofHours(1);

    private ClockSkewLimit() {}

    /**
     * Checks an event that is sent now.
     *
     * @param timestamp epoch milliseconds
     * @throws InvalidMetadataException when it is too far ahead
     */
    public static void check(long timestamp, Clock clock) {
        requireBefore(clock.millis(), timestamp);
    }

    /**
     * Checks an event in a record.
     *
     * @param timestamp epoch milliseconds
     * @param ofRecord the timestamp of the record, epoch milliseconds; negative when unknown
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
