package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.test.context.TestPropertySource;
import routes.RawHttp;
import routes.RawHttp.Answer;
import routes.RuntimeIT;

/** Sends requests of hostile, broken and slow callers, byte for byte. */
@TestPropertySource(
        properties = {
            "event-broker.http.body-timeout=2s",
            "event-broker.http.max-waiting=4",
            "event-broker.http.max-publishing=4",
            "server.tomcat.connection-timeout=3s",
            "server.tomcat.threads.max=10"
        })
class HttpIngressIT extends RuntimeIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String EVENTS = "/api/topics/" + CREATED + "/events";
    private static final String ORDERS = "/api/pharmacy-orders";
    private static final String JSON = "Content-Type: application/json";
    private static final String NDJSON = "Content-Type: application/x-ndjson";

    private final String id = "rx-" + UUID.randomUUID();
    private final String patient = "patient-" + UUID.randomUUID();

    @Test
    void redirectsToTheDocsWithAnyHostHeader() throws IOException {
        for (String path : List.of("/", "/docs", "/docs/")) {
            Answer answer = Answer.of(send("GET " + path, "X-Forwarded-Host: evil.invalid", new byte[0]));
            String location = answer.head().replaceFirst("(?s).*Location: (\\S+).*", "$1");
            assertThat(location).doesNotStartWith("/");
            assertThat(URI.create("http://proxy/prefix" + path).resolve(location))
                    .isEqualTo(URI.create("http://proxy/prefix/docs/index.html"));
        }
    }

    @Test
    void createsAnIdForAnEmptyCorrelationId() {
        HttpResponse<String> answer =
                post(EVENTS, "application/json", prescription(id, patient), "X-Correlation-Id", "");

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(json(answer.body()).path("correlationId").asText()).hasSize(36);
    }

    @Test
    void rejectsTwoIdempotencyKeys() {
        HttpResponse<String> answer = post(
                EVENTS,
                "application/json",
                prescription(id, patient),
                "Idempotency-Key",
                id,
                "Idempotency-Key",
                "another");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText()).isEqualTo("header Idempotency-Key: is given twice");
    }

    @Test
    void readsParametersFromTheQueryOnly() {
        post(EVENTS, "application/json", prescription(id, patient));
        await().untilAsserted(() -> assertThat(orders("")).hasSize(1));

        HttpResponse<String> answer = exchange(request(ORDERS + "?patientId=" + patient)
                .headers("limit", "0", "cursor", "0", "patientId", "somebody"));

        assertThat(json(answer.body())).hasSize(1);
    }

    @Test
    void acceptsWhatItsConsumersAccept() {
        String event =
                """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":%s},"payload":%s}""";
        for (String timestamp : List.of("1760000000000", "1.760e12", "1760000000000.0")) {
            assertThat(post(
                                    EVENTS,
                                    "application/json",
                                    event.formatted(
                                            UUID.randomUUID(), timestamp, prescription(id + timestamp, patient)))
                            .statusCode())
                    .isEqualTo(202);
        }

        await().untilAsserted(() -> assertThat(orders("")).hasSize(3));
    }

    @Test
    void cutsAPageOfLargeEntriesBySize() {
        for (int i = 0; i < 3; i++) {
            String large = prescription(id + i, patient).replace("Amoxicillin", "A".repeat(i == 1 ? 600_000 : 700_000));
            assertThat(post(EVENTS, "application/json", large).statusCode()).isEqualTo(202);
        }
        await().untilAsserted(() -> assertThat(jdbc.sql("select count(*) from pharmacy_order where patient_id = ?")
                        .param(patient)
                        .query(Integer.class)
                        .single())
                .isEqualTo(3));

        HttpResponse<String> first = get(ORDERS + "?patientId=" + patient);
        assertThat(json(first.body())).hasSize(2);
        HttpResponse<String> second = get(next(first));
        assertThat(json(second.body())).hasSize(1);
        assertThat(second.headers().firstValue("Link")).isEmpty();
    }

    @Test
    void keepsThreadsForOthersWhileBodiesDoNotArrive() throws IOException {
        List<Socket> slow = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            slow.add(open("POST " + EVENTS, JSON + "\r\nContent-Length: 500", bytes("{")));
        }

        long refused = 0;
        for (Socket socket : slow) {
            // reads continue while the slow requests wait
            assertThat(get(ORDERS + "?limit=1").statusCode()).isEqualTo(200);
            Answer answer = Answer.of(socket.getInputStream().readAllBytes());
            assertThat(answer.status()).isIn(400, 408, 429);
            assertThat(json(answer.body()).path("status").asInt())
                    .as(answer.toString())
                    .isEqualTo(answer.status());
            refused += answer.status() == 429 ? 1 : 0;
            socket.close();
        }
        assertThat(refused).isPositive();
        staysItself();
    }

    @Test
    void readsNoBodiesOfCallersWithoutAToken() throws Exception {
        List<Socket> strangers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Socket socket = new Socket("127.0.0.1", uri("/").getPort());
            socket.setSoTimeout(5000);
            socket.getOutputStream()
                    .write(bytes("POST " + EVENTS + " HTTP/1.1\r\nHost: localhost\r\n" + JSON + "\r\nContent-Length: "
                            + (i % 2 == 0 ? 500 : 2_000_000) + "\r\n\r\n{"));
            strangers.add(socket);
        }

        for (Socket socket : strangers) {
            assertThat(Answer.of(socket.getInputStream().readAllBytes()).status())
                    .as("and the connection ends")
                    .isEqualTo(401);
            assertThat(get(ORDERS + "?limit=1").statusCode()).isEqualTo(200);
            socket.close();
        }
        staysItself();
    }

    @Test
    void breaksOffATricklingBody() throws Exception {
        try (Socket socket = open("POST " + EVENTS, JSON + "\r\nContent-Length: 500", bytes("{"))) {
            for (int i = 0; i < 5; i++) {
                Thread.sleep(600);
                socket.getOutputStream().write(' ');
            }
            assertThat(Answer.of(socket.getInputStream().readAllBytes()).status())
                    .isEqualTo(408);
        }
    }

    @Test
    void endsAPausingStreamAndReportsThePublishedLines() throws IOException {
        String lines = IntStream.range(0, 1000)
                .mapToObj(i -> prescription(id + i, patient) + "\n")
                .reduce("", String::concat);
        List<Socket> streams = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            streams.add(open("POST " + EVENTS, NDJSON + "\r\nContent-Length: 9999999", bytes(lines)));
        }
        await().untilAsserted(() -> {
            Answer third = Answer.of(send("POST " + EVENTS, NDJSON, bytes(prescription(id, patient))));
            assertThat(third.status()).isEqualTo(429);
            assertThat(third.head()).contains("Retry-After");
        });

        for (Socket socket : streams) {
            Answer answer = Answer.of(socket.getInputStream().readAllBytes());
            assertThat(answer.status()).as(answer.toString()).isEqualTo(408);
            assertThat(json(answer.body()).path("error").asText())
                    .isEqualTo("the stream broke off in line 1001; 1000 events were published before");
            socket.close();
        }
        assertThat(Answer.of(send("POST " + EVENTS, NDJSON, bytes(prescription(id, patient))))
                        .status())
                .isEqualTo(202);
        staysItself();
    }

    @Test
    void letsOneStreamAtATimeUseAnIdempotencyKey() throws IOException {
        String key = "Idempotency-Key: " + id;
        byte[] line = bytes(prescription(id, patient) + "\n");
        try (Socket first = open("POST " + EVENTS, NDJSON + "\r\n" + key + "\r\nContent-Length: 9999", line)) {
            await().untilAsserted(() -> assertThat(jdbc.sql("select count(*) from idempotency_key where key = ?")
                            .param(id)
                            .query(Integer.class)
                            .single())
                    .isEqualTo(1));
            Answer second = Answer.of(send("POST " + EVENTS, NDJSON + "\r\n" + key, line));
            assertThat(second.status()).isEqualTo(409);
            assertThat(json(second.body()).path("error").asText()).contains("is being answered");
        }

        // the first stream broke off, so the key is free again
        await().untilAsserted(() -> assertThat(Answer.of(send("POST " + EVENTS, NDJSON + "\r\n" + key, line))
                        .body())
                .contains("""
                        {"accepted":1,"rejected":[]}"""));
        assertThat(Answer.of(send("POST " + EVENTS, NDJSON + "\r\n" + key, bytes("{}\n")))
                        .status())
                .isEqualTo(409);
        assertThat(Answer.of(send("POST " + EVENTS, JSON + "\r\n" + key, line)).status())
                .isEqualTo(409);
    }

    @Test
    void readsAFoldedHeaderAsOneWithASpace() throws IOException {
        Answer folded = Answer.of(send("GET " + ORDERS + "?limit=1", "X-Correlation-Id: a\r\n b", new byte[0]));
        assertThat(folded.status()).isEqualTo(400);
        assertThat(json(folded.body()).path("error").asText()).isEqualTo("header X-Correlation-Id is malformed");

        Answer harmless = Answer.of(send("GET " + ORDERS + "?limit=1", "X-A: b\r\n\tc", new byte[0]));
        assertThat(harmless.status()).isEqualTo(200);

        Answer broken = Answer.of(send("GET " + ORDERS, "X A: b", new byte[0]));
        assertThat(broken.status()).isEqualTo(400);
        assertThat(json(broken.body()).path("error").asText()).startsWith("bad request: its head is malformed");
    }

    @Test
    void leavesTheKeyOfARejectedRequestUnused() throws IOException {
        String key = JSON + "\r\nIdempotency-Key: " + id;

        assertThat(Answer.of(send("POST " + EVENTS, key, bytes("""
                {"id":"x"}""")))
                        .status())
                .isEqualTo(400);
        assertThat(Answer.of(send("POST " + EVENTS, key, bytes(prescription(id, patient))))
                        .status())
                .isEqualTo(202);
    }

    @Test
    void deadLettersAnInvalidTenant() {
        byte[] event = bytes(
                """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1},"payload":%s}"""
                        .formatted(UUID.randomUUID(), prescription(id, patient)));

        send(CREATED, id, event, Map.of("tenant", "t".repeat(10_000)));
        send(CREATED, id, event, Map.of("tenant", " "));

        await().untilAsserted(() -> assertThat(records(CREATED + ".dlq"))
                .filteredOn(letter -> id.equals(text(letter.key())))
                .extracting(letter -> header(letter, "error-message"))
                .containsExactly(
                        "the tenant is blank, longer than 256 characters, or has control characters",
                        "the tenant is blank, longer than 256 characters, or has control characters"));
    }

    /** Checks that each request gets its own answer. */
    private void staysItself() {
        IntStream.range(0, 50).parallel().forEach(i -> {
            HttpResponse<String> answer = post(
                    EVENTS, "application/json", prescription(id + "-" + i, patient), "X-Correlation-Id", "own-" + i);
            assertThat(answer.statusCode()).isIn(202, 429);
            assertThat(answer.headers().allValues("X-Correlation-Id")).containsExactly("own-" + i);
            assertThat(json(answer.body()).path("correlationId").asText()).isEqualTo("own-" + i);
        });
    }

    private JsonNode orders(String query) {
        return json(get(ORDERS + "?patientId=" + patient + query).body());
    }

    private byte[] send(String line, String headers, byte[] body) throws IOException {
        try (Socket socket = open(line, headers + "\r\nConnection: close\r\nContent-Length: " + body.length, body)) {
            return socket.getInputStream().readAllBytes();
        }
    }

    private Socket open(String line, String headers, byte[] body) throws IOException {
        return RawHttp.open(
                uri("/").getPort(),
                RawHttp.request(
                        line,
                        "Host: localhost\r\nAuthorization: " + TOKENS.sandbox() + "\r\n" + headers + "\r\n",
                        body));
    }

    private static String prescription(String id, String patient) {
        return """
                {"id":"%s","patientId":"%s","medication":{"name":"Amoxicillin"}}"""
                .formatted(id, patient);
    }
}
