package routes.platform.projection;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import routes.platform.kafka.BudgetedBytesDeserializer;
import routes.platform.kafka.PollBudget;

/** Reads topics between given offsets, without a consumer group. Not thread-safe. */
final class LogReader implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    /** Most bytes of one read, uncompressed; decoded events take several times as much. */
    private static final long MAX_BYTES = 4 << 20;

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final PollBudget budget = new PollBudget();

    /** The consumer's positions. A read from elsewhere follows steps on another instance. */
    private final Map<TopicPartition, Long> positions = new HashMap<>();

    /**
     * @param kafka brokers, credentials and limits of every consumer
     * @param records most records of one read
     */
    LogReader(KafkaConfiguration kafka, int records) {
        Properties config = kafka.createConsumerProperties();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.getBrokers());
        config.remove(ConsumerConfig.GROUP_ID_CONFIG);
        // the view reads committed records too
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        // missing records must fail the read, not shorten it
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, records);
        config.put(PollBudget.PROPERTY, budget);
        config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, BudgetedBytesDeserializer.class.getName());
        config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, BudgetedBytesDeserializer.class.getName());
        consumer = new KafkaConsumer<>(config);
    }

    /**
     * @param records by partition, in the order of its log
     * @param next the offset to continue from, of each partition
     */
    record Batch(Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records, Map<TopicPartition, Long> next) {}

    Map<TopicPartition, Long> beginnings(Set<TopicPartition> partitions) {
        return consumer.beginningOffsets(partitions, TIMEOUT);
    }

    /**
     * Reads the next records; none when the broker takes too long.
     *
     * @param from the first offset of each partition
     * @param to the end offset of each partition, exclusive
     */
    Batch read(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        if (!consumer.assignment().equals(from.keySet())) {
            consumer.assign(from.keySet());
            positions.keySet().retainAll(from.keySet());
        }
        from.forEach((partition, offset) -> {
            if (!offset.equals(positions.get(partition))) {
                consumer.seek(partition, offset);
                positions.put(partition, offset);
            }
        });
        Batch batch = new Batch(new HashMap<>(), new HashMap<>(from));
        Set<TopicPartition> unread = from.keySet().stream()
                .filter(partition -> from.get(partition) < to.get(partition))
                .collect(Collectors.toSet());
        if (unread.isEmpty()) {
            return batch;
        }
        consumer.pause(from.keySet());
        consumer.resume(unread);
        budget.reset(MAX_BYTES);
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
        for (TopicPartition partition : unread) {
            long end = to.get(partition);
            // steps over transaction markers too
            long position = consumer.position(partition, TIMEOUT);
            positions.put(partition, position);
            batch.next().put(partition, Math.min(end, position));
            List<ConsumerRecord<byte[], byte[]>> records = polled.records(partition).stream()
                    .filter(message -> message.offset() < end)
                    .toList();
            if (!records.isEmpty()) {
                batch.records().put(partition, records);
            }
        }
        return batch;
    }

    @Override
    public void close() {
        consumer.close(Duration.ofSeconds(1));
    }
}
