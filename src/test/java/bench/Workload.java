package bench;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Fills a source topic, and checks that the results of a round are complete. Record n has n in its event id.
 *
 * @param topic six partitions
 * @param count of records, 1 KB each
 * @param hot whether every second record has the same key; the others have one of 10,000
 * @param poison whether every hundredth record is cut off in its middle
 */
record Workload(String topic, int count, boolean hot, boolean poison) {

    private static final int KEYS = 10_000;
    private static final int POISON_EVERY = 100;
    private static final String EVENT_ID = "{\"metadata\":{\"eventId\":\"7b0c1f6e-4f5e-4d4b-9a55-";
    private static final int DIGITS = 12;
    private static final byte[] END = bytes("\"status\":\"requested\"}}");

    private static final String EVENT = EVENT_ID
            + "%012d\",\"eventType\":\"medication.prescription.created\",\"eventSource\":\"medication-service\","
            + "\"timestamp\":1760000000000,\"correlationId\":\"visit-4711\",\"causationId\":null,\"version\":\"1.0.0\","
            + "\"security\":{\"principal\":\"dr-zo\u00eb\",\"tenant\":\"default\"}},"
            + "\"payload\":{\"id\":\"%s\",\"patientId\":\"patient-1\",\"prescriberId\":\"9999991695\","
            + "\"medication\":{\"name\":\"Amoxicillin 500 MG Oral Tablet\",\"rxnorm\":\"308192\"},\"quantity\":21,\"daysSupply\":7,"
            + "\"refills\":0,\"dosageInstruction\":\"%s\",\"substitutionAllowed\":true}}";

    private static final String DOSAGE = "Take one tablet every 8 hours with food. ".repeat(10);

    /** Returns the name of the tables. */
    String name() {
        return topic.substring("bench.".length()).replace("-few", "");
    }

    /** Counts the poison messages. */
    int poisoned() {
        return poison ? count / POISON_EVERY : 0;
    }

    void fill(String brokers) {
        Random random = new Random(4711);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers, "linger.ms", "5", "batch.size", "131072"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int n = 0; n < count; n++) {
                String key = hot && n % 2 == 0 ? "k-hot" : "k-" + random.nextInt(KEYS);
                byte[] value = value(n, key);
                producer.send(new ProducerRecord<>(topic, bytes(key), value));
            }
        }
    }

    /**
     * Describes the output of a round.
     *
     * @param millis between the broker's first and last append to the sink
     * @param findings failed checks with counts
     */
    record Outcome(long millis, List<String> findings) {}

    /**
     * Reads all records that a round wrote.
     *
     * @param from first offsets of the sinks, by partition; with dead letters
     */
    Outcome verify(String brokers, String sink, Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        BitSet seen = new BitSet(count);
        Map<String, int[]> keys = new HashMap<>();
        Map<String, Integer> wrong = new LinkedHashMap<>();
        long first = Long.MAX_VALUE;
        long last = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers, "max.poll.records", "5000"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(from.keySet());
            from.forEach(consumer::seek);
            while (to.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofMillis(100))) {
                    int n = number(message.value());
                    count(wrong, "written twice", seen.get(n));
                    seen.set(n);
                    String key = new String(message.key(), StandardCharsets.UTF_8);
                    if (message.topic().equals(sink)) {
                        count(wrong, "wrong value", isPoison(n) || !hasTheExpectedEnd(message.value()));
                        int[] before = keys.computeIfAbsent(key, k -> new int[] {-1, message.partition()});
                        count(wrong, "order per key broken", before[0] > n || before[1] != message.partition());
                        before[0] = n;
                        first = Math.min(first, message.timestamp());
                        last = Math.max(last, message.timestamp());
                    } else {
                        count(
                                wrong,
                                "dead letter differs from its record",
                                !isPoison(n) || !Arrays.equals(message.value(), value(n, key)));
                    }
                }
            }
        }
        if (seen.cardinality() < count) {
            wrong.put("lost", count - seen.cardinality());
        }
        return new Outcome(
                Math.max(1, last - first),
                wrong.entrySet().stream()
                        .map(finding -> "%s: %d of %d".formatted(finding.getKey(), finding.getValue(), count))
                        .toList());
    }

    private static void count(Map<String, Integer> wrong, String what, boolean is) {
        if (is) {
            wrong.merge(what, 1, Integer::sum);
        }
    }

    private boolean isPoison(int n) {
        return poison && n % POISON_EVERY == POISON_EVERY - 1;
    }

    private byte[] value(int n, String key) {
        byte[] value = bytes(EVENT.formatted(n, key, DOSAGE));
        return isPoison(n) ? Arrays.copyOf(value, value.length / 2) : value;
    }

    private static int number(byte[] value) {
        return Integer.parseInt(new String(value, EVENT_ID.length(), DIGITS, StandardCharsets.UTF_8));
    }

    private static boolean hasTheExpectedEnd(byte[] value) {
        return Arrays.equals(value, value.length - END.length, value.length, END, 0, END.length);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static List<Workload> all(int many, int few) {
        return List.of(
                new Workload("bench.many", many, false, false),
                new Workload("bench.hot", many, true, false),
                new Workload("bench.poison", many, false, true),
                new Workload("bench.many-few", few, false, false),
                new Workload("bench.hot-few", few, true, false),
                new Workload("bench.poison-few", few, false, true));
    }
}
