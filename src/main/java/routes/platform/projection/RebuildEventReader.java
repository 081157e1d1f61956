package routes.platform.projection;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.FailureClassifier;
import routes.platform.event.EventReader;

/** Reads and decodes the events of a rebuild, with one Kafka client for the whole rebuild. Not thread-safe. */
@Component
class RebuildEventReader {

    /** Most records of one read. */
    static final int RECORDS = 2000;

    private final EventReader events;
    private final FailureClassifier failures;
    private final CamelContext camel;
    private final JdbcClient jdbc;

    private LogReader reader;

    /** The key filter that {@code keys} belongs to. */
    private UUID cachedFilter;

    private Set<String> keys;

    RebuildEventReader(EventReader events, FailureClassifier failures, CamelContext camel, JdbcClient jdbc) {
        this.events = events;
        this.failures = failures;
        this.camel = camel;
        this.jdbc = jdbc;
    }

    /**
     * @param events by partition, each in the order of its log
     * @param next the offset to continue from, of each partition
     * @param poison the count of records without a readable event
     */
    record EventBatch(List<List<PositionedEvent>> events, Map<TopicPartition, Long> next, int poison) {}

    Map<TopicPartition, Long> beginnings(Set<TopicPartition> partitions) {
        return reader().beginnings(partitions);
    }

    /**
     * Reads the next events; none when the broker takes too long.
     *
     * @param keyFilter see {@link RebuildJob#keyFilter}; null for all events
     * @throws IOException when a schema is unknown here and the registry does not answer
     */
    EventBatch read(RebuildPositions.Positions positions, UUID keyFilter) throws IOException {
        LogReader.Batch batch = reader().read(positions.next(), positions.end());
        Set<String> wanted = keys(keyFilter);
        List<List<PositionedEvent>> read = new ArrayList<>();
        int poison = 0;
        for (List<ConsumerRecord<byte[], byte[]>> records : batch.records().values()) {
            List<PositionedEvent> ofPartition = new ArrayList<>(records.size());
            for (ConsumerRecord<byte[], byte[]> message : records) {
                if (wanted == null || hasKeyOf(wanted, message)) {
                    Optional<PositionedEvent> event = event(message);
                    event.ifPresent(ofPartition::add);
                    poison += event.isPresent() ? 0 : 1;
                }
            }
            if (!ofPartition.isEmpty()) {
                read.add(ofPartition);
            }
        }
        return new EventBatch(read, batch.next(), poison);
    }

    private static boolean hasKeyOf(Set<String> keys, ConsumerRecord<byte[], byte[]> message) {
        return message.key() != null && keys.contains(new String(message.key(), StandardCharsets.UTF_8));
    }

    /** Skips poison, like the view that is served; its dead letter stays in the dead-letter topic. */
    private Optional<PositionedEvent> event(ConsumerRecord<byte[], byte[]> message) throws IOException {
        try {
            return Optional.of(PositionedEvent.of(message, events.decode(message)));
        } catch (RuntimeException | StackOverflowError e) {
            if (failures.kind(e) == FailureClassifier.Kind.POISON) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private Set<String> keys(UUID filter) {
        if (filter == null) {
            return null;
        }
        if (!filter.equals(cachedFilter)) {
            keys = new HashSet<>(jdbc.sql("select key from projection_rebuild_key where rebuild = ?")
                    .param(filter)
                    .query(String.class)
                    .list());
            cachedFilter = filter;
        }
        return keys;
    }

    /** Closes the client and forgets the keys; the next read opens a client again. */
    void close() {
        if (reader != null) {
            reader.close();
            reader = null;
        }
        cachedFilter = null;
        keys = null;
    }

    boolean isOpen() {
        return reader != null;
    }

    private LogReader reader() {
        if (reader == null) {
            reader = new LogReader(
                    camel.getComponent("kafka", KafkaComponent.class).getConfiguration(), RECORDS);
        }
        return reader;
    }
}
