package routes.platform.kafka;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import routes.platform.Backoff;

/**
 * Limits the consumer of a route. Counts and bytes apply to one member of a group, and its partitions share them.
 *
 * @param threads the exchanges of a route that run concurrently, while its steps block
 * @param maxInFlight the records in flight at which the member pauses partitions
 * @param maxBytes the same in bytes of memory, headers and objects included
 * @param heldKeys the held keys at which the whole partition is held
 * @param backoff the wait before the first retry; it doubles each time, with jitter
 * @param backoffMax the longest wait between retries
 * @param commitInterval the shortest time between commits
 * @param drainTimeout the longest wait for exchanges in flight when a partition is revoked or the route stops; records
 *     that complete later are redelivered
 */
@ConfigurationProperties("event-broker.consumer")
record ConsumerSettings(
        @DefaultValue("8") int threads,
        @DefaultValue("4000") int maxInFlight,
        @DefaultValue("16MB") DataSize maxBytes,
        @DefaultValue("16") int heldKeys,
        @DefaultValue("200ms") Duration backoff,
        @DefaultValue("3s") Duration backoffMax,
        @DefaultValue("50ms") Duration commitInterval,
        @DefaultValue("3s") Duration drainTimeout) {

    /** Returns the wait before the next retry, in nanoseconds. */
    long backoffNanos(int failures, double random) {
        return new Backoff(backoff, backoffMax).jittered(failures, random).toNanos();
    }

    /** Returns the bytes that a partition may have in flight: its even share of half of the member's bytes. */
    long byteShare(int partitions) {
        return Math.max(1, maxBytes.toBytes() / 2 / partitions);
    }

    /**
     * Returns the bytes that one poll may bring, of any partitions. A quarter of the member's bytes goes to the
     * partitions that come first. The last quarter lets other partitions read a little, however much those have.
     *
     * @param bytesOverShare the bytes that partitions have beyond their shares
     */
    long pollBudget(int partitions, long bytesOverShare) {
        return Math.max(byteShare(partitions) / 2, maxBytes.toBytes() / 4 - bytesOverShare);
    }
}
