package routes.platform.kafka;

import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the consumer of a route could not read because its log did not have it any more, since the start of the process. */
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

    /** Retention, or somebody who deleted records, was faster than the group. */
    void removed(TopicPartition partition, long from, long to) {
        count.addAndGet(to - from);
        note(partition, "offsets %d to %d were removed before they were read".formatted(from, to - 1));
    }

    /** The log is another one, or an unclean election cut it: what it has now is read again, so that nothing is passed over. */
    void cut(TopicPartition partition, long position, long beginning) {
        note(
                partition,
                "the log does not reach to offset %d any more, it is read again from %d"
                        .formatted(position, beginning));
    }

    /** Offsets that were removed. */
    long count() {
        return count.get();
    }

    /** The latest loss of each partition, for people. */
    synchronized Map<String, String> latest() {
        return new TreeMap<>(latest);
    }

    private synchronized void note(TopicPartition partition, String what) {
        String where = "group %s, topic %s, partition %d".formatted(group, partition.topic(), partition.partition());
        LOG.error("records lost: {}: {}", where, what);
        latest.put(where, what + ", noticed " + Instant.now(clock));
    }
}
