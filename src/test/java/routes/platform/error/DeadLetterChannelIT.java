package routes.platform.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.UnknownServerException;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import routes.RuntimeIT;
import sandbox.Topics;

/** Dead letters that cannot be written: no record is lost, no other record waits, and the health page reports them. */
class DeadLetterChannelIT extends RuntimeIT {

    private static final byte[] TRUNCATED = bytes("""
            {"truncated":""");

    private static final String UPDATED = "medication.prescription.updated";
    private static final String LETTERS = UPDATED + ".dlq";

    private static final String EVENTS = "medication.events";
    private static final String CREATED = "medication.prescription.created";
    private static final String ANNOUNCER = "medication-prescription-announcer";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Autowired
    private Admin admin;

    @Autowired
    private CamelContext camel;

    @Test
    void waitsForAMissingTopicWhileOthersContinue() throws Exception {
        String run = UUID.randomUUID().toString();
        admin.deleteTopics(List.of(LETTERS)).all().get();
        try {
            for (int i = 0; i < 20; i++) {
                send(UPDATED, "poison-" + i + "-" + run, TRUNCATED, Map.of());
            }
            awaitHealth("DOWN");
            assertThat(management("/observe/health/ready").statusCode())
                    .as("reads are not taken away for a partition that is held")
                    .isEqualTo(200);
            assertThat(management("/observe/health").body())
                    .contains("topic " + UPDATED + ", partition ")
                    .contains(LETTERS + " accepts no dead letters: ");

            Instant since = Instant.now();
            for (int i = 0; i < 60; i++) {
                send(UPDATED, "good-" + i + "-" + run, bytes(prescription("good-" + i + "-" + run)), Map.of());
            }
            await().atMost(Duration.ofSeconds(30)).until(() -> orders(run) == 60);
            System.out.printf(
                    "dead-letter topic missing: 60 neighbours handled in %d ms%n",
                    Duration.between(since, Instant.now()).toMillis());
            assertThat(Duration.between(since, Instant.now())).isLessThan(Duration.ofSeconds(15));
        } finally {
            Topics.create(admin, 6, LETTERS);
        }
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(letters(run)).hasSize(20));
        awaitHealth("UP");
    }

    @Test
    void deadLettersAnUnknownFailureForItsGroup() throws Exception {
        String key = "rx-" + UUID.randomUUID();
        AtomicInteger sends = new AtomicInteger();
        try (FailingSend broken = announcer(record -> key.equals(text(record)) && sends.incrementAndGet() > 0)) {
            send(EVENTS, key, bytes(medicationEvent(key)), Map.of());

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(lettersOf(key)).hasSize(1));
        }

        assertThat(sends).hasValue(5);
        ConsumerRecord<byte[], byte[]> letter = lettersOf(key).get(0);
        assertThat(header(letter, "consumer-group")).isEqualTo(ANNOUNCER);
        assertThat(header(letter, "error-message")).isEqualTo("UnknownServerException");
        assertThat(text(letter.value())).isEqualTo(medicationEvent(key));
    }

    @Test
    void announcesWhenTheUnknownFailurePasses() throws Exception {
        String key = "rx-" + UUID.randomUUID();
        AtomicInteger sends = new AtomicInteger();
        try (FailingSend broken = announcer(record -> key.equals(text(record)) && sends.incrementAndGet() <= 3)) {
            send(EVENTS, key, bytes(medicationEvent(key)), Map.of());

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(announced(key)).hasSize(1));
        }

        assertThat(lettersOf(key)).isEmpty();
    }

    @Test
    void deadLettersAnUnreadableRecordForItsOwner() {
        String key = "rx-" + UUID.randomUUID();
        double before = skipped();

        send(EVENTS, key, TRUNCATED, Map.of());

        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(lettersOf(key)).hasSize(1);
            // the announcer, and the log of activities
            assertThat(skipped()).isEqualTo(before + 2);
        });
        assertThat(lettersOf(key)).hasSize(1);
        assertThat(header(lettersOf(key).get(0), "consumer-group")).isEqualTo("medication-read-model-builder");
    }

    @Test
    void brakesAStormOfUnknownFailuresAndRecovers() throws Exception {
        String run = UUID.randomUUID().toString();
        Set<String> keys =
                IntStream.range(0, 40).mapToObj(i -> "rx-" + i + "-" + run).collect(Collectors.toSet());
        try (FailingSend broken = announcer(record -> keys.contains(text(record)))) {
            keys.forEach(key -> send(EVENTS, key, bytes(medicationEvent(key)), Map.of()));

            await().atMost(PATIENCE).untilAsserted(() -> {
                assertThat(management("/observe/health").body())
                        .contains("group " + ANNOUNCER + ", topic " + EVENTS)
                        .contains("cqrs-announce-prescription wrote 20 dead letters within a minute and writes no more:"
                                + " UnknownServerException");
                assertThat(management("/observe/metrics").body())
                        .containsPattern("event_broker_brake\\{.*routeId=\"cqrs-announce-prescription\".*\\} 1");
            });
            assertThat(keys(EVENTS + ".dlq", run)).hasSizeLessThanOrEqualTo(20);
        }

        await().atMost(PATIENCE).untilAsserted(() -> {
            Set<String> letters = keys(EVENTS + ".dlq", run);
            Set<String> announced = keys(CREATED, run);
            assertThat(announced).isNotEmpty();
            assertThat(letters).hasSizeLessThanOrEqualTo(20).doesNotContainAnyElementsOf(announced);
            assertThat(letters.size() + announced.size()).isEqualTo(keys.size());
        });
        awaitHealth("UP");
        assertThat(management("/observe/metrics").body())
                .containsPattern("event_broker_brake\\{.*routeId=\"cqrs-announce-prescription\".*\\} 0");
    }

    private FailingSend announcer(Predicate<ProducerRecord<?, ?>> which) throws ReflectiveOperationException {
        return new FailingSend(camel, "announce-created", which, new UnknownServerException("a test"));
    }

    private static String text(ProducerRecord<?, ?> record) {
        return text((byte[]) record.key());
    }

    private double skipped() {
        return Stream.of(management("/observe/metrics").body().split("\n"))
                .filter(line -> line.startsWith("event_broker_records_skipped_total")
                        && line.contains("topic=\"" + EVENTS + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static List<ConsumerRecord<byte[], byte[]>> lettersOf(String key) {
        return recordsOf(EVENTS + ".dlq", key);
    }

    private static List<ConsumerRecord<byte[], byte[]>> announced(String key) {
        return recordsOf(CREATED, key);
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic, String key) {
        return records(topic).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(key))
                .toList();
    }

    private static String medicationEvent(String id) {
        return """
                {"eventId":"%s","eventType":"PrescriptionCreated","aggregateId":"%s","timestamp":1,"commandId":"c","payload":\
                {"id":"%s","patientId":"p","medication":{"name":"n"},"version":1,"status":"active","createdAt":1,"updatedAt":1}}"""
                .formatted(UUID.nameUUIDFromBytes(bytes(id)), id, id);
    }

    private void awaitHealth(String status) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(management("/observe/health").body())
                        .containsPattern("\"consumers\":\\{(\"details\":.*?)?\"?status\":\"" + status));
    }

    private int orders(String run) {
        return jdbc.sql("select count(*) from pharmacy_order where prescription_id like ?")
                .param("%" + run)
                .query(Integer.class)
                .single();
    }

    private static Set<String> letters(String run) {
        return keys(LETTERS, run);
    }

    private static Set<String> keys(String topic, String run) {
        return records(topic).stream()
                .filter(record -> record.key() != null)
                .map(record -> text(record.key()))
                .filter(key -> key.endsWith(run))
                .collect(Collectors.toSet());
    }

    private static String prescription(String id) {
        return """
                {"metadata":{"eventId":"%s","eventType":"%s","eventSource":"medication-service","timestamp":1},
                 "payload":{"id":"%s","patientId":"p","medication":{"name":"n"}}}"""
                .formatted(UUID.randomUUID(), UPDATED, id);
    }
}
