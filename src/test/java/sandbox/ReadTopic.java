package sandbox;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints the records of a topic of the running sandbox, with headers. No offset of a group changes. {@code ./mvnw
 * spring-boot:test-run@read-topic -Dspring-boot.run.arguments=<topic>}
 */
public final class ReadTopic {

    private static final Duration POLL = Duration.ofMillis(500);

    private ReadTopic() {}

    public static void main(String[] arguments) {
        if (arguments.length != 1) {
            System.out.println("Say which topic: -Dspring-boot.run.arguments=<topic>");
            return;
        }
        int port = Servers.configuredPort(KafkaServer.NAME, KafkaServer.CONTRACT_PORT);
        if (!Ports.answers(port)) {
            System.out.printf(
                    "No broker answers on port %d: start the sandbox first, or name its port with -Dsandbox.kafka.port%n",
                    port);
            return;
        }
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        Ports.LOOPBACK + ":" + port,
                        "allow.auto.create.topics",
                        "false",
                        "isolation.level",
                        "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            read(consumer, arguments[0]);
        }
    }

    private static void read(KafkaConsumer<byte[], byte[]> consumer, String topic) {
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
        if (partitions.isEmpty()) {
            System.out.printf("There is no topic %s%n", topic);
            return;
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        if (ends.equals(consumer.beginningOffsets(partitions))) {
            System.out.printf("%s is empty%n", topic);
        }
        while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            consumer.poll(POLL).forEach(ReadTopic::print);
        }
    }

    private static void print(ConsumerRecord<byte[], byte[]> record) {
        System.out.printf("%npartition %d offset %d key %s%n", record.partition(), record.offset(), text(record.key()));
        for (Header header : record.headers()) {
            System.out.printf("  %s: %s%n", header.key(), text(header.value()));
        }
        System.out.printf("  %s%n", text(record.value()));
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8);
    }
}
