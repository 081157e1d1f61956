package bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Relays the outbox by hand: reads the first thousand unsent rows, sends them, waits for all of them, marks them. */
final class RawOutbox extends HandWrittenLoop {

    private static final int ROWS = 1000;

    private final Map<String, String> servers;

    private RawOutbox(Map<String, String> servers) {
        this.servers = servers;
    }

    /** @param args options of the runtime */
    public static void main(String[] args) throws IOException {
        Side.serve(new RawOutbox(options(args)));
    }

    @Override
    void run(String source, String sink, String group) throws SQLException, InterruptedException {
        Map<String, Object> config = Map.of(
                "bootstrap.servers", servers.get("camel.component.kafka.brokers"),
                "acks", "all",
                "enable.idempotence", "true",
                "batch.size", "131072",
                "buffer.memory", "67108864");
        try (KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
                Connection connection = ProjectionTable.connect(servers);
                PreparedStatement read = connection.prepareStatement(
                        """
                        select id, topic, key, value, header_names, header_values from outbox
                        where sent_at is null and set_aside_at is null order by id limit %d"""
                                .formatted(ROWS));
                PreparedStatement mark =
                        connection.prepareStatement("update outbox set sent_at = now() where id = any(?)")) {
            while (!stopping) {
                List<Long> ids = new ArrayList<>();
                try (ResultSet row = read.executeQuery()) {
                    while (row.next()) {
                        ids.add(row.getLong(1));
                        ProducerRecord<byte[], byte[]> message =
                                new ProducerRecord<>(row.getString(2), row.getBytes(3), row.getBytes(4));
                        String[] names = (String[]) row.getArray(5).getArray();
                        byte[][] values = (byte[][]) row.getArray(6).getArray();
                        for (int i = 0; i < names.length; i++) {
                            message.headers().add(names[i], values[i]);
                        }
                        producer.send(message, (metadata, failure) -> {
                            if (failure != null) {
                                failure.printStackTrace();
                                Runtime.getRuntime().halt(1);
                            }
                        });
                    }
                }
                if (ids.isEmpty()) {
                    Thread.sleep(20);
                } else {
                    producer.flush();
                    mark.setArray(1, connection.createArrayOf("bigint", ids.toArray()));
                    mark.executeUpdate();
                }
            }
        }
    }
}
