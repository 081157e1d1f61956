package routes.platform.outbox;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.Backoff;

/**
 * Tracks one target topic: its size limit, the rows in flight to it, and its backoff. Only the relay's thread uses it.
 */
final class TopicState {

    static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final Logger LOG = LoggerFactory.getLogger(TopicState.class);

    private static final int UNKNOWN_LIMIT = 0;
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(64));

    private final String name;
    private final LongSupplier clock;
    private int maxMessageBytes;
    private boolean checked;
    private long checkedAt;
    private int inFlight;
    private long inFlightBytes;
    private long progressAt;
    private String unavailable;
    private long retryAt;
    private int failures;

    TopicState(String name, LongSupplier clock) {
        this.name = name;
        this.clock = clock;
    }

    String name() {
        return name;
    }

    int inFlight() {
        return inFlight;
    }

    long inFlightBytes() {
        return inFlightBytes;
    }

    /** Whether the topic may reject a row of this size. */
    boolean mayReject(int bytes) {
        return bytes > maxMessageBytes;
    }

    /** Whether a small topic, which gets one row at a time, has one in flight. */
    boolean isBusy() {
        return maxMessageBytes != UNKNOWN_LIMIT && maxMessageBytes < OutboxSender.BATCH_BYTES && inFlight > 0;
    }

    boolean isUnavailable() {
        return unavailable != null;
    }

    /** The failure that makes the topic unavailable; null when it is available. */
    String unavailableReason() {
        return unavailable;
    }

    boolean needsCheck() {
        return !checked || clock.getAsLong() - checkedAt > RECHECK_NANOS;
    }

    boolean isStuck() {
        return inFlight > 0 && clock.getAsLong() - progressAt > STUCK_NANOS;
    }

    /** Whether the relay reads no rows of this topic now. */
    boolean isClosed() {
        return isStuck() || unavailable != null && retryAt - clock.getAsLong() > 0;
    }

    void onSent(int size) {
        if (inFlight == 0) {
            progressAt = clock.getAsLong();
        }
        inFlight++;
        inFlightBytes += size;
    }

    void onCompleted(int size) {
        inFlight--;
        inFlightBytes -= size;
        progressAt = clock.getAsLong();
    }

    void onAcknowledged() {
        if (failures > 0 && unavailable == null) {
            LOG.info("outbox relay resumes topic {}", name);
            failures = 0;
        }
    }

    /** The broker has rejected a row that was in flight: each time, the relay waits longer. */
    void backOff(Exception failure) {
        if (unavailable == null) {
            markUnavailable(failure, BACKOFF.delay(failures + 1).toNanos());
        }
    }

    /** The topic accepts no rows, so the relay has sent none. */
    void markUnavailable(Exception failure) {
        markUnavailable(failure, RECHECK_NANOS);
    }

    private void markUnavailable(Exception failure, long delay) {
        if (failures++ == 0) {
            LOG.warn(
                    "outbox relay waits for topic {}: {}",
                    name,
                    failure.getClass().getSimpleName());
        }
        unavailable = failure.getClass().getSimpleName();
        retryAt = clock.getAsLong() + delay;
        checked = false;
    }

    void markAvailable(int limit) {
        maxMessageBytes = limit;
        checked = true;
        checkedAt = clock.getAsLong();
        unavailable = null;
    }

    /** Available, but the relay may not read its limit: each row of a key waits for the row before it. */
    void markAvailableWithUnknownLimit() {
        markAvailable(UNKNOWN_LIMIT);
    }
}
