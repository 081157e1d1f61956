package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

/** Sends hostile events and commands over HTTP: consumers finish every accepted one, without a dead letter. */
class AgreementIT extends RuntimeIT {

    private static final int CASES = 60;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String CREATED = "medication.prescription.created";

    private final String run = UUID.randomUUID().toString();
    private final List<String> accepted = new ArrayList<>();

    @Test
    void readsEveryAcceptedEventInEveryGroup() {
        for (int seed = 0; seed < CASES; seed++) {
            String payload =
                    """
                    {"id":"rx-%s-%d","patientId":"p-%s","medication":{"name":"Aspirin"},"quantity":1}"""
                            .formatted(run, seed, run);
            String envelope =
                    """
                    {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1,"correlationId":"c"},"payload":%s}"""
                            .formatted(UUID.randomUUID(), payload);
            byte[] body = new HostileJson(seed).of(payload, envelope, envelope);
            // consumers reject a second prescription with the same event id
            if (!text(body).toLowerCase(Locale.ROOT).contains("6f0f7a6e-")) {
                accept("POST", "/api/topics/" + CREATED + "/events", body, "eventId");
            }
        }
        assertThat(accepted).hasSizeBetween(CASES / 5, CASES);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(known("activity", "event_id")).isEqualTo(accepted.size()));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(known("handled_event", "event_id"))
                .isEqualTo(accepted.size()));
        noneIsADeadLetterOf(CREATED);
    }

    @Test
    void appliesOrRejectsEveryAcceptedCommand() {
        for (int seed = 0; seed < CASES; seed++) {
            HostileJson hostile = new HostileJson(seed);
            String id = "rx-" + run + "-" + seed % 7;
            accept(
                    "POST",
                    "/api/prescriptions",
                    hostile.of(
                            """
                            {"id":"%s","patientId":"p","medication":{"name":"Aspirin"},"quantity":1}"""
                                    .formatted(id)),
                    "commandId");
            accept(
                    "PUT",
                    "/api/prescriptions/" + id,
                    hostile.of(
                            """
                            {"quantity":2,"version":1}""",
                            """
                            {"notes":["a"]}"""),
                    "commandId");
            accept(
                    "POST",
                    "/api/prescriptions/" + id + "-never/cancel",
                    hostile.of("""
                            {"reason":"x"}"""),
                    "commandId");
        }
        assertThat(accepted).hasSizeGreaterThan(CASES);
        for (String command : accepted) {
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                            json(get("/api/commands/" + command).body())
                                    .path("status")
                                    .asText())
                    .isIn("APPLIED", "REJECTED"));
        }
        noneIsADeadLetterOf("medication.commands", "medication.events", CREATED, "medication.prescription.updated");
    }

    @Test
    void keepsEveryAcceptedPatientEventInTheHistory() {
        for (int seed = 0; seed < CASES; seed++) {
            accept(
                    "POST",
                    "/api/patients/p-" + run + "/events",
                    new HostileJson(seed)
                            .of(
                                    """
                                    {"type":"patient.profile.created","data":{"firstName":"A","gender":"male"}}""",
                                    """
                                    {"type":"patient.address.updated","data":{"city":"A","street":"B"}}"""),
                    "eventId");
        }
        assertThat(accepted).hasSizeBetween(CASES / 5, CASES);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(known("patient_event", "event_id"))
                .isEqualTo(accepted.size()));
        noneIsADeadLetterOf("patient.events");
    }

    @Test
    void readsAnEventWithoutItsInvalidLinkHeaders() {
        Map<String, String> hostile = Map.of("control", "a\nWARN forged", "long", "x".repeat(500_000), "blank", " ");
        hostile.forEach((name, header) -> {
            String event = UUID.randomUUID().toString();
            accepted.add(event);
            send(
                    CREATED,
                    "rx-" + run,
                    bytes(
                            """
                            {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1},"payload":{"id":"rx-%s-%s","patientId":"p-%s","medication":{"name":"x"}}}"""
                                    .formatted(event, run, name, run)),
                    Map.of("correlation-id", header, "causation-id", header));
        });

        await().atMost(PATIENCE).untilAsserted(() -> {
            JsonNode orders =
                    json(get("/api/pharmacy-orders?patientId=p-" + run).body());
            assertThat(orders).hasSize(3).allSatisfy(order -> assertThat(
                            order.path("correlationId").asText())
                    .isEqualTo(order.path("eventId").asText()));
        });
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(known("activity", "event_id")).isEqualTo(3));
        noneIsADeadLetterOf(CREATED);
    }

    private void accept(String method, String path, byte[] body, String id) {
        HttpResponse<String> answer = exchange(request(path)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofByteArray(body)));
        assertThat(answer.statusCode())
                .as(() -> text(body).substring(0, Math.min(1000, body.length)))
                .isIn(202, 400, 413);
        if (answer.statusCode() == 202) {
            accepted.add(json(answer.body()).path(id).asText().toLowerCase(Locale.ROOT));
        }
    }

    private long known(String table, String column) {
        return jdbc.sql("select count(distinct %1$s) from %2$s where %1$s::text in (:ids)".formatted(column, table))
                .param("ids", accepted)
                .query(Long.class)
                .single();
    }

    private void noneIsADeadLetterOf(String... topics) {
        for (String topic : topics) {
            for (ConsumerRecord<byte[], byte[]> letter : records(topic + ".dlq")) {
                String value =
                        letter.value() == null ? "" : text(letter.value()).toLowerCase(Locale.ROOT);
                assertThat(accepted.stream().filter(value::contains))
                        .as("%s: %s", topic, header(letter, "error-message"))
                        .isEmpty();
            }
        }
    }
}
