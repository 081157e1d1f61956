package routes.platform.kafka;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How far the consumer of a route may go. Counts and bytes are those of one member of a group, shared by its partitions.
 *
 * @param threads how many exchanges of a route run at once, as far as its steps block
 * @param maxInFlight records that are read and not finished; then partitions are paused
 * @param maxBytes the same in bytes of memory, headers and objects included
 * @param heldKeys keys of a partition that may wait for a retry before the whole partition does
 * @param backoff before the first retry; doubled each time, with jitter
 * @param backoffMax the longest wait between retries
 * @param commitInterval at least, between commits of what is finished
 * @param drainTimeout for exchanges in flight when a partition goes or the route stops; what ends later is read again
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

    /** @return nanoseconds before the next retry */
    long backoffNanos(int failures, double random) {
        return new Backoff(backoff, backoffMax).nanos(failures, random);
    }

    /** What a partition may have in flight: half of what its member may, in even parts. */
    long byteShare(int partitions) {
        return Math.max(1, maxBytes.toBytes() / 2 / partitions);
    }

    /**
     * What one poll may bring, whichever partition it is of. A quarter of what the member may have is for whoever comes first; the last quarter
     * is there so that partitions which are not full get something however much the others have.
     *
     * @param excess what partitions have beyond their parts
     */
    long pollBudget(int partitions, long excess) {
        return Math.max(byteShare(partitions) / 2, maxBytes.toBytes() / 4 - excess);
    }

    /** Exponential, with jitter. */
    record Backoff(Duration first, Duration longest) {

        /** @return nanoseconds before the next try: between half of the exponential backoff and all of it */
        long nanos(int failures, double random) {
            long most = longest.toNanos();
            long full = failures > 30 ? most : Math.min(most, first.toNanos() << (failures - 1));
            return (long) ((full < 0 ? most : full) * (0.5 + random / 2));
        }
    }
}
