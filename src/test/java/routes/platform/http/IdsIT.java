package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.web.util.UriUtils;
import routes.RuntimeIT;

/** Reads, pages and links records by every id that can be created. */
class IdsIT extends RuntimeIT {

    private static final String PRESCRIPTIONS = "/api/prescriptions";
    private static final String CREATED = "medication.prescription.created";
    private static final String JSON = "application/json";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int MAX_LENGTH = 256;

    /** Prefix of the ids of this run; the tried characters follow it. */
    private final String run = UUID.randomUUID().toString().substring(0, 8);

    private final String patient = run + "/pa;ti%2Fent\\?#&=+ é";

    private Stream<String> ids() {
        String first = run + "é";
        return Stream.concat(
                        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars().mapToObj(c -> "" + (char) c),
                        Stream.of(
                                " ",
                                "//",
                                "/../..",
                                "%2F",
                                "%252f",
                                "%7E",
                                "%",
                                ";a=b",
                                "\u2028",
                                "\u2029",
                                "\u00a0",
                                "\ud83d\udc8a",
                                "/summary"))
                .flatMap(marks -> Stream.of(run + marks, run + marks + "z"))
                .distinct()
                // Kafka clients and people trim texts
                .filter(id -> id.equals(id.strip()))
                .flatMap(id -> id.equals(run + "!")
                        ? Stream.of(id, first + "é".repeat(MAX_LENGTH - first.length()))
                        : Stream.of(id));
    }

    @Test
    void readsAndPagesPrescriptionsByAnyId() {
        List<String> ids = ids().toList();
        for (String id : ids) {
            HttpResponse<String> answer = post(PRESCRIPTIONS, JSON, prescription(id));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        }

        for (String id : ids) {
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(read(PRESCRIPTIONS, id)).isEqualTo(id));
        }
        assertThat(paged(PRESCRIPTIONS, "id")).containsExactlyInAnyOrderElementsOf(ids);
    }

    @Test
    void readsAndPagesRecordsFromTopicsByAnyId() {
        List<String> ids = ids().toList();
        for (String id : ids) {
            send(CREATED, id, envelope(id), Map.of());
            send("medication.commands", id, command(id), Map.of());
        }

        for (String id : ids) {
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                            json(get("/api/commands/" + encoded(id)).body())
                                    .path("commandId")
                                    .asText())
                    .isEqualTo(id));
        }
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(paged("/api/pharmacy-orders", "prescriptionId"))
                .containsExactlyInAnyOrderElementsOf(ids));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Summary", "SUMMARY", "reprocess", "Reprocess", "discard", "a.b:c_d-e"})
    void showsDeadLettersNamedLikeAnOperation(String id) {
        send(CREATED + ".dlq", run, bytes("{}"), Map.of("dead-letter-id", id));

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(read("/api/dead-letters", id)).isEqualTo(id));
        HttpResponse<String> discarded =
                post("/api/dead-letters/" + id + "/discard", JSON, """
                        {"reason":"test"}""");
        assertThat(discarded.statusCode()).as(discarded.body()).isEqualTo(200);
        assertThat(get("/api/dead-letters/summary").body()).startsWith("[");
        assertThat(get("/api/dead-letters/%73ummary").body()).startsWith("[");
    }

    @Test
    void treatsAllEncodingsOfAPathAlike() {
        String id = run + "-._~aZ09";
        post(PRESCRIPTIONS, JSON, prescription(id));
        await().atMost(PATIENCE).until(() -> get(PRESCRIPTIONS + "/" + id).statusCode() == 200);
        StringBuilder upper = new StringBuilder();
        StringBuilder lower = new StringBuilder();
        for (byte octet : bytes(id)) {
            upper.append("%%%02X".formatted(octet));
            lower.append("%%%02x".formatted(octet));
        }

        for (String spelling : List.of(upper.toString(), lower.toString())) {
            assertThat(json(get(PRESCRIPTIONS + "/" + spelling).body())
                            .path("id")
                            .asText())
                    .isEqualTo(id);
            assertThat(json(get("/%61pi/pre%73criptions/" + spelling).body())
                            .path("id")
                            .asText())
                    .isEqualTo(id);
        }
    }

    @Test
    void answersARepeatInAnotherSpellingWithTheFirstAnswer() {
        String id = run + "/~";
        List<String> answers = Stream.of(run + "%2F~", run + "%2f%7e")
                .map(spelling -> exchange(request(PRESCRIPTIONS + "/" + spelling)
                                .headers("Content-Type", "application/merge-patch+json", "Idempotency-Key", run)
                                .PUT(HttpRequest.BodyPublishers.ofString(
                                        """
                                        {"quantity":1}""")))
                        .body())
                .toList();

        assertThat(json(answers.get(0)).path("prescriptionId").asText()).isEqualTo(id);
        assertThat(answers.get(1)).isEqualTo(answers.get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {".", ".."})
    void rejectsIdsThatNoPathCanName(String id) {
        HttpResponse<String> answer = post(PRESCRIPTIONS, JSON, prescription(id));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText()).startsWith("body /id: must not be . or ..");

        send(
                "medication.commands",
                run + id,
                bytes(text(command(id)).replace("\"commandId\":\"" + id, "\"commandId\":\"" + run)),
                Map.of());
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(records("medication.commands.dlq"))
                .filteredOn(letter -> (run + id).equals(text(letter.key())))
                .extracting(letter -> header(letter, "error-message"))
                .containsExactly("/aggregateId: must be text other than . and .., which no path can name"));
    }

    @Test
    void linksToTheNextPageBehindAnyProxyPath() {
        for (int i = 0; i < 2; i++) {
            post(PRESCRIPTIONS, JSON, prescription(run + "-" + i));
        }
        String query = "?limit=1&patientId=" + encoded(patient);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(next(get(PRESCRIPTIONS + query)))
                .isNotNull());

        HttpResponse<String> page = exchange(
                request(PRESCRIPTIONS + query).headers("X-Forwarded-Prefix", "/evil", "X-Forwarded-Host", "evil"));

        String link = page.headers().firstValue("Link").orElseThrow();
        assertThat(link)
                .startsWith("<prescriptions?limit=1&")
                .doesNotContain("evil")
                .endsWith("; rel=\"next\"");
    }

    private String read(String path, String id) {
        return json(get(path + "/" + encoded(id)).body()).path("id").asText();
    }

    private List<String> paged(String path, String name) {
        List<String> ids = new ArrayList<>();
        String next = path + "?limit=1&patientId=" + encoded(patient);
        while (next != null) {
            HttpResponse<String> page = get(next);
            assertThat(page.statusCode()).as(page.body()).isEqualTo(200);
            assertThat(json(page.body())).hasSizeLessThanOrEqualTo(1);
            json(page.body()).forEach(entry -> ids.add(entry.path(name).asText()));
            next = next(page);
        }
        return ids;
    }

    private static String encoded(String id) {
        return UriUtils.encode(id, StandardCharsets.UTF_8);
    }

    private ObjectNode payload(String id) {
        ObjectNode payload = JsonNodeFactory.instance.objectNode().put("id", id).put("patientId", patient);
        payload.putObject("medication").put("name", "Amoxicillin");
        return payload;
    }

    private String prescription(String id) {
        return payload(id).toString();
    }

    private byte[] envelope(String id) {
        ObjectNode envelope = JsonNodeFactory.instance.objectNode();
        envelope.putObject("metadata")
                .put("eventId", UUID.randomUUID().toString())
                .put("eventType", "t")
                .put("eventSource", "s")
                .put("timestamp", 1);
        envelope.set("payload", payload(id));
        return bytes(envelope.toString());
    }

    /** A command for a prescription with the same id. */
    private byte[] command(String id) {
        ObjectNode command = JsonNodeFactory.instance
                .objectNode()
                .put("commandId", id)
                .put("commandType", "CreatePrescription")
                .put("aggregateId", id)
                .put("timestamp", 1);
        command.set("payload", payload(id));
        return bytes(command.toString());
    }
}
