package routes.platform.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import routes.RuntimeIT;
import sandbox.Topics;

/** Dead letters that cannot be written: nothing is lost, nothing else waits for them, and the health page says so. */
class DeadLettersIT extends RuntimeIT {

    private static final String UPDATED = "medication.prescription.updated";
    private static final String LETTERS = UPDATED + ".dlq";

    @Autowired
    private Admin admin;

    @Test
    void waitsForAMissingTopicWhileTheNeighboursGoOn() throws Exception {
        String run = UUID.randomUUID().toString();
        admin.deleteTopics(List.of(LETTERS)).all().get();
        try {
            for (int i = 0; i < 20; i++) {
                send(UPDATED, "poison-" + i + "-" + run, bytes("{\"truncated\":"), Map.of());
            }
            awaitHealth("DOWN");
            assertThat(management("/observe/health/ready").statusCode())
                    .as("reads are not taken away for a partition that is held")
                    .isEqualTo(200);
            assertThat(management("/observe/health").body())
                    .contains("topic " + UPDATED + ", partition ")
                    .contains(LETTERS + " takes no dead letters: ");

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
        Set<String> keys = new HashSet<>();
        records(LETTERS).stream()
                .map(letter -> text(letter.key()))
                .filter(key -> key.endsWith(run))
                .forEach(keys::add);
        return keys;
    }

    private static String prescription(String id) {
        return "{\"metadata\":{\"eventId\":\"%s\",\"eventType\":\"%s\",\"eventSource\":\"medication-service\",\"timestamp\":1},\"payload\":{\"id\":\"%s\",\"patientId\":\"p\",\"medication\":{\"name\":\"n\"}}}"
                .formatted(UUID.randomUUID(), UPDATED, id);
    }
}
