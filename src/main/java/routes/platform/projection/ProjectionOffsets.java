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
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.springframework.stereotype.Component;
import routes.platform.error.Failures;

/** How far the group of a projection is, as the brokers know it. */
@Component
class ProjectionOffsets {

    private static final long PATIENCE_MS = 5000;

    private final Admin kafka;
    private final Failures failures;

    ProjectionOffsets(Admin kafka, Failures failures) {
        this.kafka = kafka;
        this.failures = failures;
    }

    /** The offsets that the group has committed, of the topics of the projection. */
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

    /** How many records the topics have that the group has not done with; null when no broker answers. */
    Long lag(Projection projection) {
        try {
            Map<TopicPartition, Long> committed = committed(projection);
            Set<TopicPartition> partitions = new HashSet<>();
            for (TopicDescription topic : get(kafka.describeTopics(projection.topics())
                            .allTopicNames())
                    .values()) {
                topic.partitions().forEach(p -> partitions.add(new TopicPartition(topic.name(), p.partition())));
            }
            Map<TopicPartition, Long> ends = offsets(partitions, OffsetSpec.latest());
            offsets(partitions, OffsetSpec.earliest()).forEach(committed::putIfAbsent);
            return ends.entrySet().stream()
                    .mapToLong(end -> Math.max(0, end.getValue() - committed.get(end.getKey())))
                    .sum();
        } catch (RuntimeException e) {
            if (failures.isDependencyDown(e)) {
                return null;
            }
            throw e;
        }
    }

    private Map<TopicPartition, Long> offsets(Set<TopicPartition> partitions, OffsetSpec which) {
        return get(kafka.listOffsets(partitions.stream().collect(Collectors.toMap(Function.identity(), p -> which)))
                        .all())
                .entrySet()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, offset -> offset(offset.getValue())));
    }

    private static long offset(ListOffsetsResult.ListOffsetsResultInfo info) {
        return info.offset();
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }
}
