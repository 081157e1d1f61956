package routes;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Records that are small for the broker, which measures them compressed, and large for who reads them. */
public final class CompressedBatch {

    private static final int LINGER_MS = 1000;
    private static final long BUFFER = 100_000_000;
    private static final int LARGEST_REQUEST = 400_000_000;

    private CompressedBatch() {}

    /**
     * Sends the records of one partition in one batch, as long as they are sent within a second.
     *
     * @param bytes of all of them, uncompressed, at least
     */
    public static void send(String brokers, int bytes, List<ProducerRecord<byte[], byte[]>> records)
            throws ExecutionException, InterruptedException {
        Map<String, Object> properties = Map.of(
                "bootstrap.servers", brokers,
                "compression.type", "gzip",
                "linger.ms", LINGER_MS,
                "batch.size", bytes,
                "buffer.memory", Math.max(BUFFER, 2L * bytes),
                "max.request.size", LARGEST_REQUEST);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            records.forEach(record -> sent.add(producer.send(record)));
            producer.flush();
            for (Future<RecordMetadata> record : sent) {
                record.get();
            }
        }
    }
}
