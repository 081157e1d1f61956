package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.junit.jupiter.api.Test;

/** The search for the partition that makes a poll fail, with a clock that the test sets. */
class FaultyPartitionsTest {

    private static final TopicPartition P0 = new TopicPartition("t", 0);
    private static final TopicPartition P1 = new TopicPartition("t", 1);
    private static final Set<TopicPartition> BOTH = Set.of(P0, P1);

    private final Map<TopicPartition, Throwable> held = new HashMap<>();
    private long now = 1;
    private final FaultyPartitions faulty = new FaultyPartitions(held::put, () -> now);

    @Test
    void searchesThePartitionThatAFailureDoesNotName() throws Throwable {
        KafkaException damaged = new KafkaException("damaged");
        assertThat(faulty.pollFailed(damaged, BOTH)).isTrue();
        assertThat(BOTH).as("one poll reads nothing").noneMatch(faulty::isReadable);

        succeed(Set.of());
        TopicPartition first =
                BOTH.stream().filter(faulty::isReadable).findFirst().orElseThrow();
        succeed(Set.of(first));
        TopicPartition second = first.equals(P0) ? P1 : P0;
        assertThat(faulty.pollFailed(new KafkaException("again"), BOTH)).isFalse();

        assertThat(held).containsEntry(second, damaged);
        assertThat(faulty.isReadable(first)).isTrue();
        assertThat(faulty.isReadable(second)).isFalse();
    }

    @Test
    void givesARetriedPartitionTimeToDeliver() throws Throwable {
        faulty.pollFailed(new RecordDeserializationException(P0, 0, "unreadable", null), BOTH);
        now += Duration.ofMinutes(1).toNanos();
        succeed(Set.of());
        assertThat(faulty.partitionToRetry()).isEqualTo(P0);

        succeed(Set.of());
        assertThat(faulty.partitionToRetry()).as("its buffer is discarded").isNull();
        succeed(Set.of());
        assertThat(held.get(P0)).as("nothing has come yet").isNotNull();

        succeed(Set.of(P0));
        assertThat(held.get(P0)).isNull();
        assertThat(faulty.isEmpty()).isTrue();
    }

    private void succeed(Set<TopicPartition> delivered) {
        faulty.pollSucceeded(delivered, partition -> OptionalLong.empty(), partition -> true);
    }
}
