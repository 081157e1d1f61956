package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.RunningImage.LIVE;
import static routes.RunningImage.READY;
import static routes.RunningImage.await;
import static routes.RunningImage.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import sandbox.ServerProcess;

/** The image without one of its servers: it stays alive, reports that it is not ready, and recovers by itself. */
class OutageIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String EVENTS = "/api/topics/" + CREATED + "/events";
    private static final String JSON = "application/json";
    /** More than the server has threads. */
    private static final int WRITERS = 80;

    private static final Duration SOME_SECONDS = Duration.ofSeconds(20);

    private static Image image;
    private static RunningImage runtime;

    private final String id = "rx-" + UUID.randomUUID();
    private final String patient = "patient-" + UUID.randomUUID();

    @BeforeAll
    static void start() throws Exception {
        image = new Image(Path.of("target", "image-outage"));
        runtime = image.run(RunningImage.environment(RuntimeIT.SERVERS)).awaitReady();
    }

    @AfterAll
    static void stop() {
        if (runtime != null) {
            runtime.close();
        }
    }

    @Test
    void recoversWhenPostgresIsBack() {
        ServerProcess postgres = RuntimeIT.SERVERS.postgres();
        String correlationId = "visit-" + UUID.randomUUID();
        postgres.kill();
        try {
            awaitReadiness(503);
            assertThat(json(runtime.management(READY).body())
                            .at("/components/db/status")
                            .asText())
                    .isEqualTo("DOWN");
            assertThat(runtime.management(LIVE).statusCode()).isEqualTo(200);

            HttpResponse<String> answer = runtime.post(
                    EVENTS, JSON, prescription(), "X-Correlation-Id", correlationId, "Idempotency-Key", id);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("Retry-After")).isPresent();
            assertThat(json(answer.body()).path("correlationId").asText()).isEqualTo(correlationId);
            assertThat(runtime.outputWith("answered 503", "\"correlation-id\":\"" + correlationId + "\""))
                    .hasSize(1);
            RuntimeIT.send(CREATED, id, RuntimeIT.bytes(envelope()), Map.of());
        } finally {
            postgres.start();
        }
        awaitReadiness(200);
        awaitOrder();
        assertThat(deadLetters()).isZero();
        assertThat(runtime.outputWith("Zebraquine")).isEmpty();
    }

    @Test
    void recoversWhenKafkaIsBack() {
        ServerProcess kafka = RuntimeIT.SERVERS.kafka();
        kafka.suspend();
        try {
            awaitReadiness(503);
            JsonNode health = json(runtime.management(READY).body()).at("/components/kafka");
            assertThat(health.path("status").asText()).isEqualTo("DOWN");
            assertThat(runtime.management(LIVE).statusCode()).isEqualTo(200);
            assertThat(runtime.get("/api/pharmacy-orders?patientId=" + patient).statusCode())
                    .isEqualTo(200);
        } finally {
            kafka.resume();
        }
        awaitReadiness(200);
        await().untilAsserted(() -> assertThat(
                        runtime.post(EVENTS, JSON, prescription()).statusCode())
                .isEqualTo(202));
        awaitOrder();
        assertThat(runtime.outputWith("Zebraquine")).isEmpty();
    }

    @Test
    void answersReadersWhileWritersWaitForTheBroker() throws Exception {
        ServerProcess kafka = RuntimeIT.SERVERS.kafka();
        assertThat(runtime.post(EVENTS, JSON, prescription()).statusCode()).isEqualTo(202);
        ExecutorService callers = Executors.newFixedThreadPool(WRITERS);
        kafka.suspend();
        try {
            List<Future<HttpResponse<String>>> writes = new ArrayList<>();
            for (int i = 0; i < WRITERS; i++) {
                String path = i % 2 == 0 ? EVENTS : "/api/prescriptions";
                writes.add(callers.submit(() -> runtime.post(path, JSON, prescription())));
            }
            assertThat(RuntimeIT.exchange(
                                    HttpRequest.newBuilder(runtime.uri("/api/pharmacy-orders?patientId=" + patient))
                                            .header("Authorization", RuntimeIT.TOKENS.of("other")))
                            .statusCode())
                    .as("of another client")
                    .isEqualTo(200);
            Map<Integer, Integer> answers = new HashMap<>();
            int refused = 0;
            for (Future<HttpResponse<String>> write : writes) {
                HttpResponse<String> answer = write.get();
                assertThat(answer.statusCode()).isIn(429, 503);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                answers.merge(answer.statusCode(), 1, Integer::sum);
                refused += answer.body().contains("too many requests wait for the broker") ? 1 : 0;
            }
            // the writes beyond the share of one client are refused
            assertThat(answers.get(429)).isBetween(1, WRITERS - 24);
            // waiting writes, twice as many when the first are answered before the last arrive
            assertThat(answers.get(503) - refused).isBetween(16, 2 * 16);
        } finally {
            kafka.resume();
            callers.shutdown();
        }
        awaitReadiness(200);
    }

    @Test
    void answers503WhileItCannotCheckTokens() throws Exception {
        Map<String, String> environment = RunningImage.environment(RuntimeIT.SERVERS);
        environment.put("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI", "http://127.0.0.1:1/keys");
        try (RunningImage withoutKeys = image.run(environment).awaitReady()) {
            for (int i = 0; i < 5; i++) {
                HttpResponse<String> answer = withoutKeys.get("/api/activity", "X-Correlation-Id", id);

                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                assertThat(json(answer.body()).path("correlationId").asText()).isEqualTo(id);
            }
            assertThat(RuntimeIT.exchange(HttpRequest.newBuilder(withoutKeys.uri("/api/activity")))
                            .statusCode())
                    .isEqualTo(401);
        }
    }

    @Test
    void usesCachedKeysWhileTheIssuerIsDown() {
        ServerProcess issuer = RuntimeIT.SERVERS.tokenIssuer();
        assertThat(runtime.get("/api/activity?limit=1").statusCode()).isEqualTo(200);
        issuer.kill();
        try {
            assertThat(runtime.get("/api/activity?limit=1").statusCode()).isEqualTo(200);
            assertThat(runtime.management(READY).statusCode()).isEqualTo(200);
        } finally {
            issuer.start();
        }
        assertThat(runtime.get("/api/activity?limit=1").statusCode()).isEqualTo(200);
    }

    @Test
    void usesCachedSchemasWhileTheRegistryIsDown() {
        ServerProcess registry = RuntimeIT.SERVERS.schemaRegistry();
        String events = "/api/patients/" + patient + "/events";
        String event = """
                {"type":"patient.profile.created","data":{"firstName":"Zebraquine"}}""";
        registry.kill();
        try {
            HttpResponse<String> answer = runtime.post(events, JSON, event, "X-Correlation-Id", id);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            await().untilAsserted(() -> assertThat(json(
                            runtime.get("/api/activity?correlationId=" + id).body()))
                    .hasSize(1));
            assertThat(runtime.management(READY).statusCode()).isEqualTo(200);
            assertThat(json(runtime.management("/observe/health").body())
                            .at("/components/schemaRegistry/status")
                            .asText())
                    .isEqualTo("DOWN");
        } finally {
            registry.start();
        }
        assertThat(runtime.outputWith("Zebraquine")).isEmpty();
    }

    @Test
    void refusesToStartWithoutTheRegistry() throws Exception {
        try (RunningImage alone = image.run(
                RunningImage.environment(RuntimeIT.SERVERS),
                "--event-broker.schema-registry.url=http://127.0.0.1:1",
                "--event-broker.schemas.timeout=2s")) {
            assertThat(alone.awaitExit(Duration.ofMinutes(2))).isEqualTo(1);
            assertThat(
                            alone.outputWith(
                                    "Schema registry: the schema registry does not answer (subject patient-events-value, tried for 2 s)"))
                    .hasSize(1);
        }
    }

    private void awaitReadiness(int status) {
        await().atMost(SOME_SECONDS)
                .untilAsserted(
                        () -> assertThat(runtime.management(READY).statusCode()).isEqualTo(status));
    }

    private void awaitOrder() {
        await().untilAsserted(() -> assertThat(json(
                        runtime.get("/api/pharmacy-orders?patientId=" + patient).body()))
                .hasSize(1));
    }

    private long deadLetters() {
        return RuntimeIT.records(CREATED + ".dlq").stream()
                .filter(record -> id.equals(RuntimeIT.text(record.key())))
                .count();
    }

    private String prescription() {
        return """
                {"id":"%s","patientId":"%s","medication":{"name":"Zebraquine"}}"""
                .formatted(id, patient);
    }

    private String envelope() {
        return """
                {"metadata":{"eventId":"%s","eventType":"%s","eventSource":"medication-service","timestamp":1},"payload":%s}"""
                .formatted(UUID.randomUUID(), CREATED, prescription());
    }
}
