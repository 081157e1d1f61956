package routes.faults;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Produces prescriptions in order per key, some of them poison, and remembers them. */
final class Load implements AutoCloseable {

    static final String CREATED = "medication.prescription.created";
    static final String UPDATED = "medication.prescription.updated";
    static final String RUN = "fault-run";

    private static final int KEYS = 40;

    /** Marks the records of this load. */
    final String run;

    /** Key and SHA-256 of each poison record, by the id in its header. */
    final Map<String, String> poison = new ConcurrentHashMap<>();

    final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger number = new AtomicInteger();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private final KafkaProducer<byte[], byte[]> producer;
    private final Random random = new Random();
    private volatile boolean stopped;
    private Thread thread;

    Load(String name, String brokers) {
        this(name, producer(brokers, Map.of()));
    }

    Load(String name, KafkaProducer<byte[], byte[]> producer) {
        run = name + "-" + UUID.randomUUID();
        this.producer = producer;
    }

    static KafkaProducer<byte[], byte[]> producer(String brokers, Map<String, Object> further) {
        Map<String, Object> properties = new HashMap<>(further);
        // waits for any outage
        properties.putAll(Map.of(
                "bootstrap.servers", brokers,
                "delivery.timeout.ms", 3_600_000,
                "max.block.ms", 3_600_000,
                "linger.ms", 5));
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Sends until {@link #finish()}; every hundredth record is poison. */
    Load start(int perSecond) {
        thread = new Thread(
                () -> {
                    for (int i = 0; !stopped; i++) {
                        send(i % 100 == 50);
                        LockSupport.parkNanos(1_000_000_000L / perSecond);
                    }
                },
                run);
        thread.start();
        return this;
    }

    void send(int count) {
        for (int i = 0; i < count; i++) {
            send(i % 100 == 50);
        }
    }

    /** Sends one record, good or poison. */
    void sendOne() {
        send(random.nextInt(100) == 0);
    }

    /** Waits until this many further records are sent, acknowledged or not. */
    void awaitSent(int further) {
        int goal = sent.get() + further;
        Patience.await().until(() -> sent.get() >= goal);
    }

    void good(String topic, String key, String further) {
        send(topic, key, bytes(event(topic, key, number.incrementAndGet(), further)));
        sent.incrementAndGet();
    }

    void poison(String topic, String key, byte[] value, String... headers) {
        String id = UUID.randomUUID().toString();
        ProducerRecord<byte[], byte[]> message = message(topic, key, value);
        message.headers().add("poison-id", bytes(id));
        for (int i = 0; i < headers.length; i += 2) {
            message.headers().add(headers[i], bytes(headers[i + 1]));
        }
        poison.put(id, key + " " + sha256(value));
        send(message);
    }

    /** Writes a dead letter whose record is good: its cause is gone. */
    void letter(String key, String error) {
        int n = number.incrementAndGet();
        ProducerRecord<byte[], byte[]> message = message(CREATED + ".dlq", key, bytes(event(CREATED, key, n, "")));
        message.headers()
                .add("original-topic", bytes(CREATED))
                .add("error-message", bytes("it was broken"))
                .add("error-stack", bytes(error))
                .add("dead-letter-id", bytes(UUID.randomUUID().toString()));
        send(message);
    }

    /** Waits until the broker has acknowledged every record. */
    void finish() throws Exception {
        stopped = true;
        if (thread != null) {
            thread.join();
        }
        producer.flush();
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    @Override
    public void close() throws Exception {
        finish();
        producer.close();
    }

    static String sha256(byte[] value) {
        try {
            return value == null
                    ? "null"
                    : HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(value));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void send(boolean poisonous) {
        int n = number.incrementAndGet();
        String topic = n % 2 == 0 ? CREATED : UPDATED;
        String key = "k" + n % KEYS;
        if (poisonous) {
            poison(topic, key, bytes("{\"truncated\":" + n));
        } else {
            good(topic, key, "");
        }
    }

    private void send(String topic, String key, byte[] value) {
        send(message(topic, key, value));
    }

    private ProducerRecord<byte[], byte[]> message(String topic, String key, byte[] value) {
        ProducerRecord<byte[], byte[]> message = new ProducerRecord<>(topic, bytes(run + key), value);
        message.headers().add(RUN, bytes(run));
        return message;
    }

    private void send(ProducerRecord<byte[], byte[]> message) {
        producer.send(message, (metadata, e) -> {
            if (e != null) {
                failure.set(e);
            }
        });
    }

    private String event(String topic, String key, int seq, String further) {
        return "{\"metadata\":{\"eventId\":\"%s\",\"eventType\":\"%s\",\"eventSource\":\"medication-service\",\"timestamp\":1},\"payload\":{\"id\":\"%s\",\"patientId\":\"%s\",\"medication\":{\"name\":\"n\"},\"seq\":%d%s}}"
                .formatted(UUID.randomUUID(), topic, run + key, run, seq, further);
    }
}
