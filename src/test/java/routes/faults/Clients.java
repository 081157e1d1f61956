package routes.faults;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import sandbox.Servers;

/** Reads the servers of a test directly, without the runtime. */
final class Clients {

    private Clients() {}

    static DataSource database(Servers servers) {
        Map<String, String> properties = servers.properties();
        return new DriverManagerDataSource(
                properties.get("spring.datasource.url"),
                properties.get("spring.datasource.username"),
                properties.getOrDefault("spring.datasource.password", ""));
    }

    /** Returns the database of the FHIR server. */
    static DataSource fhirDatabase(Servers servers) {
        String url = servers.properties().get("spring.datasource.url");
        return new DriverManagerDataSource(url.substring(0, url.lastIndexOf('/')) + "/fhir", "fhir", "fhir");
    }

    static String brokers(Servers servers) {
        return servers.properties().get("camel.component.kafka.brokers");
    }

    /** Returns the committed offset of each partition of these topics; 0 without a commit. */
    static Map<TopicPartition, Long> committed(Admin admin, String group, List<String> topics) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> known = admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        Map<TopicPartition, Long> committed = new HashMap<>();
        admin.describeTopics(topics).allTopicNames().get().forEach((topic, description) -> description
                .partitions()
                .forEach(p -> {
                    TopicPartition partition = new TopicPartition(topic, p.partition());
                    OffsetAndMetadata offset = known.get(partition);
                    committed.put(partition, offset == null ? 0 : offset.offset());
                }));
        return committed;
    }

    /** Counts the records of these topics that the group has not committed. */
    static long lag(Admin admin, String group, List<String> topics) throws Exception {
        Map<TopicPartition, Long> committed = committed(admin, group, topics);
        var ends = admin.listOffsets(
                        committed.keySet().stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                .all()
                .get();
        return committed.entrySet().stream()
                .mapToLong(entry -> ends.get(entry.getKey()).offset() - entry.getValue())
                .sum();
    }
}
