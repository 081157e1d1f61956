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

/** The records of the log as rebuilds read them. It keeps a client while a rebuild is at work here. Not for several threads. */
@Component
class RebuildEventReader {

    /** Of a read. */
    static final int RECORDS = 2000;

    private final EventReader events;
    private final FailureClassifier failures;
    private final CamelContext camel;
    private final JdbcClient jdbc;

    private LogReader reader;

    /** Of the rebuild that was at work last. */
    private UUID keysOf;

    private Set<String> keys;

    RebuildEventReader(EventReader events, FailureClassifier failures, CamelContext camel, JdbcClient jdbc) {
        this.events = events;
        this.failures = failures;
        this.camel = camel;
        this.jdbc = jdbc;
    }

    /**
     * Events of the log.
     *
     * @param events by partition, each in its order
     * @param next behind what has been read, of each partition that was asked for
     * @param poison records that are none
     */
    record Read(List<List<PositionedEvent>> events, Map<TopicPartition, Long> next, int poison) {}

    Map<TopicPartition, Long> beginnings(Set<TopicPartition> partitions) {
        return reader().beginnings(partitions);
    }

    /**
     * Reads what comes next; nothing when it takes longer than usual to come.
     *
     * @param keysOf the rebuild whose keys are wanted; null for all events
     * @throws IOException when a schema is not known here and the registry does not answer
     */
    Read read(RebuildPositions.Positions positions, UUID keysOf) throws IOException {
        LogReader.Batch batch = reader().read(positions.next(), positions.end());
        Set<String> wanted = keys(keysOf);
        List<List<PositionedEvent>> read = new ArrayList<>();
        int poison = 0;
        for (List<ConsumerRecord<byte[], byte[]>> records : batch.records().values()) {
            List<PositionedEvent> ofPartition = new ArrayList<>(records.size());
            for (ConsumerRecord<byte[], byte[]> message : records) {
                if (wanted == null || isOf(wanted, message)) {
                    Optional<PositionedEvent> event = event(message);
                    event.ifPresent(ofPartition::add);
                    poison += event.isPresent() ? 0 : 1;
                }
            }
            if (!ofPartition.isEmpty()) {
                read.add(ofPartition);
            }
        }
        return new Read(read, batch.next(), poison);
    }

    private static boolean isOf(Set<String> keys, ConsumerRecord<byte[], byte[]> message) {
        return message.key() != null && keys.contains(new String(message.key(), StandardCharsets.UTF_8));
    }

    /** What is poison for the view that is served is passed over here: it rests in its dead-letter topic. */
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

    private Set<String> keys(UUID rebuild) {
        if (rebuild == null) {
            return null;
        }
        if (!rebuild.equals(keysOf)) {
            keys = new HashSet<>(jdbc.sql("select key from projection_rebuild_key where rebuild = ?")
                    .param(rebuild)
                    .query(String.class)
                    .list());
            keysOf = rebuild;
        }
        return keys;
    }

    /** Lets go of what it keeps. */
    void forget() {
        if (reader != null) {
            reader.close();
            reader = null;
        }
        keysOf = null;
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
