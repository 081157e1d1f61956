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

/** Reads topics from given offsets to given offsets, in no group, so that nothing notices. Not for several threads. */
final class LogReader implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** Of one read, unpacked: what is decoded of it takes several times as much. */
    private static final long MAX_BYTES = 4 << 20;

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final PollBudget budget = new PollBudget();

    /** Where the consumer is; another one has read on when a read begins elsewhere. */
    private final Map<TopicPartition, Long> positions = new HashMap<>();

    /**
     * @param kafka brokers, credentials and limits, as every consumer has them
     * @param records the most that one read returns
     */
    LogReader(KafkaConfiguration kafka, int records) {
        Properties config = kafka.createConsumerProperties();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.getBrokers());
        config.remove(ConsumerConfig.GROUP_ID_CONFIG);
        // as the view has read it, whatever the configuration says
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        // a log that lacks what is to be read must not be taken for a shorter one
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, records);
        config.put(PollBudget.PROPERTY, budget);
        config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, BudgetedBytesDeserializer.class.getName());
        config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, BudgetedBytesDeserializer.class.getName());
        consumer = new KafkaConsumer<>(config);
    }

    /**
     * @param records by partition, in its order
     * @param next behind what has been read, of each partition that was asked for
     */
    record Batch(Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records, Map<TopicPartition, Long> next) {}

    Map<TopicPartition, Long> beginnings(Set<TopicPartition> partitions) {
        return consumer.beginningOffsets(partitions, PATIENCE);
    }

    /**
     * Reads what comes next; nothing when it takes longer than usual to come.
     *
     * @param from the next offset of each partition
     * @param to the offset of each partition that is not read any more
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
            // also behind what is no record, such as the marks of transactions
            long position = consumer.position(partition, PATIENCE);
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
