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
 * @param maxBytes the same in bytes of keys and values
 * @param heldKeys keys of a partition that may wait for a retry before the whole partition does
 * @param backoff before the first retry; doubled each time, with jitter
 * @param backoffMax the longest wait between retries
 * @param commitInterval between commits of what is finished
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
        @DefaultValue("500ms") Duration commitInterval,
        @DefaultValue("3s") Duration drainTimeout) {

    /** @return nanoseconds before the next retry: between half of the exponential backoff and all of it */
    long backoffNanos(int failures, double random) {
        long longest = backoffMax.toNanos();
        long full = failures > 30 ? longest : Math.min(longest, backoff.toNanos() << (failures - 1));
        return (long) ((full < 0 ? longest : full) * (0.5 + random / 2));
    }
}
