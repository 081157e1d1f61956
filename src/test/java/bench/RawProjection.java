package bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Stores one JDBC batch per poll by hand: one transaction, then the offsets. */
final class RawProjection extends HandWrittenLoop {

    private final Map<String, String> servers;

    private RawProjection(Map<String, String> servers) {
        this.servers = servers;
    }

    /** @param args options of the runtime */
    public static void main(String[] args) throws IOException {
        Side.serve(new RawProjection(options(args)));
    }

    @Override
    void run(String source, String table, String group) throws SQLException {
        Map<String, Object> config = Map.of(
                "bootstrap.servers", servers.get("camel.component.kafka.brokers"),
                "group.id", group,
                "enable.auto.commit", "false",
                "auto.offset.reset", "earliest",
                "max.poll.records", "500");
        try (KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                Connection connection = ProjectionTable.connect(servers);
                PreparedStatement insert = ProjectionTable.insert(connection, table)) {
            connection.setAutoCommit(false);
            consumer.subscribe(List.of(source));
            Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
            while (!stopping) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
                for (ConsumerRecord<byte[], byte[]> message : records) {
                    Object[] row = ProjectionTable.row(message.value(), message.key());
                    for (int i = 0; i < row.length; i++) {
                        insert.setObject(i + 1, row[i]);
                    }
                    insert.addBatch();
                    done.put(
                            new TopicPartition(message.topic(), message.partition()),
                            new OffsetAndMetadata(message.offset() + 1));
                }
                if (!records.isEmpty()) {
                    insert.executeBatch();
                    connection.commit();
                    consumer.commitAsync(Map.copyOf(done), null);
                }
            }
            consumer.commitSync(done);
        }
    }
}
