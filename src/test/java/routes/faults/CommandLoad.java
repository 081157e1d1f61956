package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import routes.RunningImage;

/**
 * Sends commands over HTTP until each is accepted, and to Kafka, and records the expected result of each. Kafka gets
 * some commands twice, the second time after later commands of the prescription.
 */
final class CommandLoad implements AutoCloseable {

    private static final int PRESCRIPTIONS = 4000;

    /** Two commands for each prescription, and a third for every second one. */
    static final int COMMANDS = PRESCRIPTIONS * 5 / 2;

    static final String APPLIED = "APPLIED";
    private static final String REJECTED = "REJECTED";
    private static final int CLIENTS = 8;

    private enum Type {
        CREATE("CreatePrescription", "POST", "/api/prescriptions"),
        UPDATE("UpdatePrescription", "PUT", "/api/prescriptions/%s"),
        CANCEL("CancelPrescription", "POST", "/api/prescriptions/%s/cancel");

        private final String command;
        private final String method;
        private final String path;

        Type(String command, String method, String path) {
            this.command = command;
            this.method = method;
            this.path = path;
        }
    }

    /** The expected status of each command, by its id. */
    final Map<String, String> outcomes = new ConcurrentHashMap<>();

    /** The expected version, status and quantity of each prescription, by its id. */
    final Map<String, String> prescriptions = new ConcurrentHashMap<>();

    /** Counts requests without an answer, or with one that asks for a retry. */
    final AtomicInteger retries = new AtomicInteger();

    final AtomicInteger sentToKafka = new AtomicInteger();
    final AtomicInteger sentTwice = new AtomicInteger();

    private final List<Instance> instances;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Semaphore allowed = new Semaphore(0);
    private final AtomicInteger next = new AtomicInteger();
    private final ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    private final List<Future<Void>> clients;

    /** @param instances ready instances; the list changes while this runs */
    CommandLoad(List<Instance> instances, String brokers) {
        this.instances = instances;
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers, "delivery.timeout.ms", 3_600_000, "max.block.ms", 3_600_000),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        Callable<Void> client = () -> {
            for (int n = next.getAndIncrement(); n < PRESCRIPTIONS; n = next.getAndIncrement()) {
                new Prescribing(n).run();
            }
            return null;
        };
        clients = IntStream.range(0, CLIENTS)
                .mapToObj(n -> threads.submit(client))
                .toList();
    }

    /** Lets the clients send this many further commands. */
    void allow(int commands) {
        allowed.release(commands);
    }

    /** Waits until this many commands are sent, counted from the start. */
    void awaitAccepted(int commands) {
        Patience.whileMoving(outcomes::size)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> outcomes.size() >= commands);
    }

    /** Waits until every command is sent and accepted. */
    void finish() throws Exception {
        Patience.whileMoving(outcomes::size).until(() -> clients.stream().allMatch(Future::isDone));
        for (Future<Void> client : clients) {
            client.get(5, TimeUnit.MINUTES);
        }
        assertThat(outcomes).hasSize(COMMANDS);
        assertThat(prescriptions).hasSize(PRESCRIPTIONS);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        producer.close();
    }

    /** Sends the commands of one prescription one after the other. */
    private final class Prescribing {

        private final int number;
        private final Random random = new Random();
        private final List<ProducerRecord<byte[], byte[]>> again = new ArrayList<>();

        private Prescribing(int number) {
            this.number = number;
        }

        private void run() throws Exception {
            String id = send(
                    Type.CREATE,
                    null,
                    "{\"patientId\":\"p%d\",\"medication\":{\"name\":\"n\"},\"quantity\":1}".formatted(number),
                    APPLIED);
            send(Type.UPDATE, id, "{\"version\":1,\"quantity\":2}", APPLIED);
            String end = "2 active 2";
            switch (number % 8) {
                case 0 -> {
                    send(Type.UPDATE, id, "{\"quantity\":3}", APPLIED);
                    end = "3 active 3";
                }
                case 2 -> {
                    send(Type.CANCEL, id, "{\"reason\":\"replaced\"}", APPLIED);
                    end = "3 cancelled 2";
                }
                case 4 -> send(Type.UPDATE, id, "{\"version\":1,\"quantity\":4}", REJECTED);
                case 6 -> send(Type.UPDATE, "unknown-" + number, "{\"quantity\":5}", REJECTED);
                default -> {}
            }
            prescriptions.put(id, end);
            for (ProducerRecord<byte[], byte[]> command : again) {
                producer.send(command).get();
                sentTwice.incrementAndGet();
            }
        }

        /** @return the id of the prescription */
        private String send(Type type, String prescription, String payload, String outcome) throws Exception {
            allowed.acquire();
            return random.nextInt(5) == 0
                    ? toKafka(type, prescription, payload, outcome)
                    : overHttp(type, prescription, payload, outcome);
        }

        private String toKafka(Type type, String prescription, String payload, String outcome) throws Exception {
            String command = UUID.randomUUID().toString();
            String id = prescription == null ? "rx-" + command : prescription;
            ProducerRecord<byte[], byte[]> sent = new ProducerRecord<>(
                    "medication.commands",
                    Load.bytes(id),
                    Load.bytes(
                            "{\"commandId\":\"%s\",\"commandType\":\"%s\",\"aggregateId\":\"%s\",\"timestamp\":%d,\"payload\":%s}"
                                    .formatted(command, type.command, id, System.currentTimeMillis(), payload)));
            producer.send(sent).get();
            sentToKafka.incrementAndGet();
            outcomes.put(command, outcome);
            if (random.nextBoolean()) {
                again.add(sent);
            }
            return id;
        }

        private String overHttp(Type type, String prescription, String payload, String outcome) throws Exception {
            String key = UUID.randomUUID().toString();
            while (true) {
                HttpResponse<String> answer = ask(type, prescription, payload, key);
                if (answer != null && answer.statusCode() == 202) {
                    JsonNode receipt = new ObjectMapper().readTree(answer.body());
                    outcomes.put(receipt.path("commandId").asText(), outcome);
                    return receipt.path("prescriptionId").asText();
                }
                if (answer != null) {
                    // 503, or 409 while the killed request still holds the lease of the key
                    assertThat(answer.headers().firstValue("Retry-After"))
                            .as(answer.body())
                            .isPresent();
                }
                retries.incrementAndGet();
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }

        /** Returns null without an answer. */
        private HttpResponse<String> ask(Type type, String prescription, String payload, String key) {
            List<Instance> now = List.copyOf(instances);
            if (now.isEmpty()) {
                return null;
            }
            try {
                return RunningImage.exchange(now.get(random.nextInt(now.size()))
                        .runtime
                        .request(type.path.formatted(prescription))
                        .headers("Content-Type", "application/json", "Idempotency-Key", key)
                        .method(type.method, HttpRequest.BodyPublishers.ofString(payload)));
            } catch (UncheckedIOException e) {
                return null;
            }
        }
    }
}
