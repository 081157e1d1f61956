package routes.platform.projection;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.FailureClassifier;

/** Reads the offsets of a projection's topics, and its lag. */
@Component
class ProjectionOffsets {

    private static final long TIMEOUT_MS = 5000;

    private final Admin kafka;
    private final JdbcClient jdbc;
    private final FailureClassifier failures;

    ProjectionOffsets(Admin kafka, JdbcClient jdbc, FailureClassifier failures) {
        this.kafka = kafka;
        this.jdbc = jdbc;
        this.failures = failures;
    }

    /** The offsets that the projection's group has committed. */
    Map<TopicPartition, Long> committed(Projection projection) {
        Map<TopicPartition, Long> committed = new HashMap<>();
        get(kafka.listConsumerGroupOffsets(projection.group()).partitionsToOffsetAndMetadata())
                .forEach((partition, offset) -> {
                    if (offset != null && projection.topics().contains(partition.topic())) {
                        committed.put(partition, offset.offset());
                    }
                });
        return committed;
    }

    /** The end of each partition, open transactions included. */
    Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
        return offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
    }

    /**
     * Counts the committed records that are not in the view yet; null when no broker answers. The committed offset of
     * the group steps over poison and transaction markers; the position of the view is up to date immediately. The
     * larger one counts.
     */
    Long lag(Projection projection) {
        try {
            Map<TopicPartition, Long> done = committed(projection);
            position(projection).forEach((partition, offset) -> done.merge(partition, offset, Math::max));
            Set<TopicPartition> partitions = new HashSet<>();
            for (TopicDescription topic : get(kafka.describeTopics(projection.topics())
                            .allTopicNames())
                    .values()) {
                topic.partitions().forEach(p -> partitions.add(new TopicPartition(topic.name(), p.partition())));
            }
            Map<TopicPartition, Long> ends = offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
            offsets(partitions, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED)
                    .forEach(done::putIfAbsent);
            return ends.entrySet().stream()
                    .mapToLong(end -> Math.max(0, end.getValue() - done.get(end.getKey())))
                    .sum();
        } catch (RuntimeException e) {
            if (failures.isDependencyDown(e)) {
                return null;
            }
            throw e;
        }
    }

    private Map<TopicPartition, Long> position(Projection projection) {
        return jdbc
                .sql("select topic, partition, next_offset from projection_position where projection = ?")
                .param(projection.name())
                .query((row, n) -> Map.entry(
                        new TopicPartition(row.getString("topic"), row.getInt("partition")),
                        row.getLong("next_offset")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private Map<TopicPartition, Long> offsets(
            Set<TopicPartition> partitions, OffsetSpec which, IsolationLevel isolation) {
        return get(kafka.listOffsets(
                                partitions.stream().collect(Collectors.toMap(Function.identity(), p -> which)),
                                new ListOffsetsOptions(isolation))
                        .all())
                .entrySet()
                .stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, offset -> offset.getValue().offset()));
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }
}
