package sandbox;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;

/** Creates the topics of tests. */
public final class Topics {

    private Topics() {}

    /** @param topics get one replica, and on return a serving leader for each partition */
    public static void create(Admin admin, int partitions, String... topics) throws Exception {
        create(
                admin,
                Arrays.stream(topics)
                        .map(topic -> new NewTopic(topic, partitions, (short) 1))
                        .toList());
    }

    /**
     * Waits until each partition has a serving leader. An earlier producer can lose its first batch: the leader refuses
     * it, takes the second, and then finds the first out of order (KAFKA-15591).
     */
    public static void create(Admin admin, Collection<NewTopic> topics) throws Exception {
        CreateTopicsResult created = admin.createTopics(topics);
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (NewTopic topic : topics) {
            int partitions = created.numPartitions(topic.name()).get();
            for (int partition = 0; partition < partitions; partition++) {
                ends.put(new TopicPartition(topic.name(), partition), OffsetSpec.latest());
            }
        }
        while (!serves(admin, ends)) {
            Thread.sleep(20);
        }
    }

    private static boolean serves(Admin admin, Map<TopicPartition, OffsetSpec> ends) throws Exception {
        try {
            admin.listOffsets(ends).all().get();
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RetriableException) {
                return false;
            }
            throw e;
        }
    }
}
