package routes.platform.kafka;

import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and reports the records that were removed before the consumer of a route read them, since the process started.
 */
final class LostRecords {

    private static final Logger LOG = LoggerFactory.getLogger(LostRecords.class);

    private final String group;
    private final Clock clock;
    private final AtomicLong count = new AtomicLong();
    private final Map<String, String> latest = new TreeMap<>();

    LostRecords(String group, Clock clock) {
        this.group = group;
        this.clock = clock;
    }

    /** Reports records that retention or an operator removed. */
    void reportRemoved(TopicPartition partition, long from, long to) {
        count.addAndGet(to - from);
        report(partition, "offsets %d to %d were removed before they were read".formatted(from, to - 1));
    }

    /**
     * Reports a log that was replaced, or that an unclean election truncated. The group reads it from its beginning.
     */
    void reportTruncated(TopicPartition partition, long position, long beginning) {
        report(
                partition,
                "the log ends before offset %d now, the group reads it again from %d".formatted(position, beginning));
    }

    /** Returns the number of removed offsets. */
    long count() {
        return count.get();
    }

    /** Returns a sentence for the latest loss of each partition. */
    synchronized Map<String, String> latest() {
        return new TreeMap<>(latest);
    }

    private synchronized void report(TopicPartition partition, String what) {
        String where = "group %s, topic %s, partition %d".formatted(group, partition.topic(), partition.partition());
        LOG.error("records lost: {}: {}", where, what);
        latest.put(where, what + ", noticed " + Instant.now(clock));
    }
}
