package bench;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Writes rows of the outbox, 1 KB each, with 10,000 keys and the runtime's three record headers. Checks that they were
 * sent.
 */
final class OutboxRows {

    private static final String FILL =
            """
            insert into outbox (tenant, topic, key, value, header_names, header_values, event_id)
            select 'default', ?, convert_to('key-' || n %% 10000, 'UTF8'),
                   convert_to(lpad(n::text, 10, '0') || repeat('0123456789', 99), 'UTF8'),
                   '{correlation-id,causation-id,tenant}', array['visit-4711'::bytea, ''::bytea, 'default'::bytea], n::text
            from generate_series(0, ? - 1) n"""
                    .replace("%%", "%");

    private OutboxRows() {}

    /** Replaces all rows of the table. */
    static void fill(Connection connection, String topic, int count) throws SQLException {
        try (Statement statement = connection.createStatement();
                PreparedStatement fill = connection.prepareStatement(FILL)) {
            statement.execute("truncate outbox");
            fill.setString(1, topic);
            fill.setInt(2, count);
            fill.execute();
            statement.execute("vacuum analyze outbox");
        }
    }

    /** Whether the table exists and no relay sends from it. */
    static boolean isFree(Connection connection) throws SQLException {
        return is(
                connection,
                """
                select to_regclass('outbox') is not null
                   and not exists (select from pg_locks where locktype = 'advisory' and granted)""");
    }

    /** Whether all rows are marked. The query costs the database little. */
    static boolean sent(Connection connection) throws SQLException {
        return is(connection, "select not exists (select from outbox where sent_at is null)");
    }

    private static boolean is(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() && result.getBoolean(1);
        }
    }

    /**
     * Reads the sent records.
     *
     * @return milliseconds between the broker's time stamps of the first and the last record
     * @throws IllegalStateException for a lost row, a duplicate, or a broken order of a key
     */
    static long verify(String brokers, Map<TopicPartition, Long> ends, int count) {
        BitSet seen = new BitSet(count);
        Map<String, Integer> keys = new HashMap<>();
        long first = Long.MAX_VALUE;
        long last = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.copyOf(ends.keySet()));
            consumer.seekToBeginning(ends.keySet());
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (var message : consumer.poll(Duration.ofMillis(100))) {
                    int n = Integer.parseInt(new String(message.value(), 0, 10, StandardCharsets.UTF_8));
                    Integer before = keys.put(new String(message.key(), StandardCharsets.UTF_8), n);
                    if (seen.get(n) || before != null && before > n || message.value().length != 1000) {
                        throw new IllegalStateException("record " + n + " is a duplicate, or out of order");
                    }
                    seen.set(n);
                    first = Math.min(first, message.timestamp());
                    last = Math.max(last, message.timestamp());
                }
            }
        }
        if (seen.cardinality() != count) {
            throw new IllegalStateException((count - seen.cardinality()) + " records were lost");
        }
        return Math.max(1, last - first);
    }
}
