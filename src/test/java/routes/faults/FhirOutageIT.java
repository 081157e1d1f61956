package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.jdbc.core.JdbcTemplate;
import routes.platform.fhir.FhirFailure;
import sandbox.ServerProcess;

/** The FHIR server is down, slow or broken: callers learn that, and nobody learns of a patient. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FhirOutageIT extends FailingFhirServer {

    /** For a busy machine, beyond the time limit of the server. */
    private static final Duration MARGIN = Duration.ofSeconds(10);

    /** More than the requests that may wait for a FHIR server. */
    private static final int CALLERS = 40;

    private static final String MAY_HAVE_HAPPENED = "the change may have happened";

    /** Starts while the tests that do not need it run. */
    @BeforeAll
    static void startServer() {
        new Thread(SERVERS::fhirServer, "start the FHIR server").start();
    }

    @BeforeEach
    void loadRoutes() throws Exception {
        if (camel.getRoute("fhir-put") == null) {
            PluginHelper.getRoutesLoader(camel)
                    .loadRoutes(ResourceHelper.resolveResource(camel, "classpath:fhir/calls.camel.yaml"));
        }
    }

    @Order(1)
    @ParameterizedTest
    @EnumSource
    void answersAnOutcomeWhenTheServer(BrokenAnswer broken) {
        DOUBLE.answer(id, broken.answer);
        long began = System.nanoTime();

        CompletableFuture<HttpResponse<String>> read = CompletableFuture.supplyAsync(
                () -> exchange(call("broken", ALL, "/fhir/Patient/" + id + "?_summary=" + Canary.NAME)));
        CompletableFuture<Exchange> ownRead =
                CompletableFuture.supplyAsync(() -> ownCall("broken", "read-version", "Patient/" + id, Map.of()));
        CompletableFuture<Exchange> ownWrite = CompletableFuture.supplyAsync(
                () -> ownCall("broken", "put", Canary.patient(id), Map.of("CamelFhir.stringId", id)));
        HttpResponse<String> written = exchange(put("broken", Canary.patient(id)));

        requireTemporary(written, broken.status);
        requireTemporary(read.join(), broken.status);
        requireFailure(ownRead.join());
        requireNoPatient(ownWrite.join());
        if (broken != BrokenAnswer.REFUSES_OUR_CREDENTIALS) {
            assertThat(written.body()).contains(MAY_HAVE_HAPPENED);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(LIMIT.plus(MARGIN));
        assertThat(exceptions()).as("exceptions of the routes").isNotEmpty();
    }

    @Order(1)
    @Test
    void answersAnOutcomeWhenTheServerReadsNothing() {
        DOUBLE.answer(id, (call, out) -> TimeUnit.HOURS.sleep(1));

        HttpResponse<String> written = exchange(
                put("broken", Canary.patient(id).replace(Canary.STREET, Canary.STREET + "-".repeat(1_000_000))));

        requireTemporary(written, 504);
        assertThat(written.body()).contains(MAY_HAVE_HAPPENED);
    }

    @Order(1)
    @Test
    void passesAnOutcomeOfTheServerOn() {
        DOUBLE.answer(
                id,
                (call, out) -> FhirDouble.write(
                        out,
                        FhirDouble.answer(
                                "503 " + Canary.NAME,
                                """
                                {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "transient", \
                                "diagnostics": "%s is locked"}]}"""
                                        .formatted(Canary.NAME))));

        HttpResponse<String> answer = exchange(put("broken", Canary.patient(id)));

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains(Canary.NAME + " is locked");
        assertThat(answer.headers().firstValue("Retry-After")).hasValue("5");
    }

    @Order(1)
    @ParameterizedTest
    @ValueSource(
            strings = {
                "400 Bad Request",
                "401 Unauthorized",
                "403 Forbidden",
                "404 Not Found",
                "409 Conflict",
                "410 Gone",
                "412 Precondition Failed",
                "422 Unprocessable",
                "429 Too Many",
                "500 Error",
                "501 Not Implemented",
                "503 Unavailable",
                "200 OK"
            })
    void repeatsNothingOfAnOutcomeToTheRuntimeItself(String status) {
        DOUBLE.answer(id, (call, out) -> {
            call.body();
            FhirDouble.write(out, FhirDouble.answer(status, outcome("\"" + Canary.NAME + "\", \"birthDate\": [")));
        });

        requireFailure(ownCall("broken", "read-version", "Patient/" + id, Map.of()));
        requireFailure(ownCall("broken", "history", "Patient/" + id, Map.of()));
        requireNoPatient(ownCall("broken", "delete", "Patient/" + id, Map.of()));
        requireNoPatient(ownCall("broken", "put", Canary.patient(id), Map.of("CamelFhir.stringId", id)));
    }

    @Order(1)
    @Test
    void repeatsNothingOfACallThatIsNotSent() {
        String condition = "Patient?identifier=urn:canary|" + Canary.IDENTIFIER + "&name=" + Canary.NAME;

        requireFailure(ownCall("nobody", "search", condition, Map.of()));
        requireFailure(ownCall("broken", "search", "http://" + Canary.NAME + ".example/Patient", Map.of()));
        requireFailure(ownCall("broken", "read-version", "Patient/" + Canary.NAME + "?a=b", Map.of()));
        requireFailure(
                ownCall("broken", "put", Canary.patient(id) + "}", Map.of("CamelFhir.stringId", Canary.NAME + "/")));
        requireFailure(ownCall(
                "broken", "create-if-absent", Canary.patient(id).substring(1), Map.of("CamelFhir.url", condition)));
    }

    @Order(1)
    @Test
    void repeatsNothingOfAnswersToTheSearchForEffects(CapturedOutput output) {
        Map<String, String> histories = new LinkedHashMap<>();
        histories.put(id + "-refused", FhirDouble.answer("422 " + Canary.NAME, outcome("\"" + Canary.NAME + "\"")));
        histories.put(id + "-gone", FhirDouble.answer("404 " + Canary.NAME, outcome("\"" + Canary.NAME + "\"")));
        histories.put(id + "-rubbish", FhirDouble.ok(outcome("\"" + Canary.NAME + "\", [")));
        histories.put(id + "-away", FhirDouble.answer("401 " + Canary.NAME, outcome("\"" + Canary.NAME + "\"")));
        histories.forEach((patient, history) -> {
            DOUBLE.answer(patient, (call, out) -> {
                call.body();
                if (call.head().startsWith("GET")) {
                    FhirDouble.write(out, history);
                }
            });
            requireTemporary(
                    exchange(call(ASKED, ALL, "/fhir/Patient/" + patient)
                            .header("Content-Type", FHIR_JSON)
                            .PUT(HttpRequest.BodyPublishers.ofString(Canary.patient(patient)))),
                    503);
            // in this order, because the last one ends the search
            jdbc.sql(
                            "update fhir_intent set next_at = now() - make_interval(mins => ?) where tenant = ? and ? = any(ids)")
                    .param(60 - histories.size())
                    .param(ASKED)
                    .param(patient)
                    .update();
        });

        Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertThat(output.getAll())
                .contains("of tenant " + ASKED + " waits: REFUSED")
                .contains("open intents of tenant " + ASKED + " wait: DOWN"));
    }

    @Order(2)
    @Test
    void passesRefusalsOfTheRealServerOn() {
        String observation =
                """
                {"resourceType": "Observation", "id": "%s", "status": "final", "code": {"text": "%s"}, "subject": {"reference": "%s"}}""";
        requireSuccess(exchange(put("default", Canary.patient(id))));
        requireSuccess(exchange(json("default", "PUT", "/Patient/" + id + "-b", Canary.patient(id + "-b"))));
        requireSuccess(exchange(
                json("default", "PUT", "/Observation/" + id, observation.formatted(id, Canary.NAME, "Patient/" + id))));
        String several = "Patient?identifier=urn:canary%7C" + Canary.IDENTIFIER;
        String unnamed = Canary.patient(id).replace("\"id\": \"" + id + "\", ", "");
        String wrong = Canary.patient(id).replace("\"name\"", "\"birthDate\": \"" + Canary.NAME + "\", \"name\"");

        requireRefusal(409, exchange(call("default", ALL, "/fhir/Patient/" + id).DELETE()));
        requireRefusal(412, exchange(json("default", "PUT", "/" + several, unnamed)));
        requireRefusal(412, exchange(call("default", ALL, "/fhir/" + several).DELETE()));
        requireRefusal(
                412,
                exchange(json("default", "POST", "/Patient", unnamed)
                        .header("If-None-Exist", several.substring("Patient?".length()))));
        requireRefusal(409, exchange(put("default", Canary.patient(id)).header("If-Match", "W/\"99\"")));
        requireRefusal(
                422,
                exchange(json(
                        "default",
                        "POST",
                        "/Observation",
                        observation.formatted(id, Canary.NAME, "Observation/" + id))));
        requireRefusal(400, exchange(put("default", wrong)));
        requireRefusal(
                400, exchange(json("default", "POST", "", bundle("transaction", wrong, "PUT", "Patient/" + id))));
        requireRefusal(412, exchange(json("default", "POST", "", bundle("transaction", unnamed, "PUT", several))));
        HttpResponse<String> batch = exchange(json("default", "POST", "", bundle("batch", unnamed, "PUT", several)));
        assertThat(batch.body()).contains("\"status\":\"412");
        Canary.requireNoneIn("the headers of the answer", batch.headers().map().toString());
        requireFailure(ownCall("default", "put-resource", "{\"resourceType\": \"" + Canary.NAME + "\"}", Map.of()));
        requireFailure(ownCall("default", "search", "Patient?" + Canary.NAME + "=" + Canary.STREET, Map.of()));
        requireFailure(ownCall("default", "delete", "Patient/" + id, Map.of()));
        requireFailure(ownCall("default", "create-if-absent", unnamed, Map.of("CamelFhir.url", several)));
    }

    @Order(4)
    @Test
    void recoversWhenTheServerIsKilledInATransaction() throws Exception {
        ServerProcess server = SERVERS.fhirServer();
        JdbcTemplate fhir = new JdbcTemplate(Clients.fhirDatabase(SERVERS));
        Future<HttpResponse<String>> transaction;
        try (Connection connection = fhir.getDataSource().getConnection()) {
            connection.setAutoCommit(false);
            connection.createStatement().execute("lock table hfj_res_ver in exclusive mode");
            transaction = CompletableFuture.supplyAsync(() -> exchange(call("default", ALL, "/fhir")
                    .header("Content-Type", FHIR_JSON)
                    .POST(HttpRequest.BodyPublishers.ofString(transaction()))));
            Awaitility.await().pollInterval(Duration.ofMillis(20)).until(() -> isLocked(fhir));
            server.kill();
        }
        try {
            HttpResponse<String> brokenOff = transaction.get();
            requireTemporary(brokenOff, brokenOff.statusCode() == 504 ? 504 : 503);
            assertThat(brokenOff.body()).contains(MAY_HAVE_HAPPENED);
            HttpResponse<String> unsent = exchange(put("default", Canary.patient(id)));
            requireTemporary(unsent, 503);
            assertThat(unsent.body()).doesNotContain(MAY_HAVE_HAPPENED);
            requireTemporary(exchange(call("default", ALL, "/fhir/Patient/" + id)), 503);
            assertThat(management("/observe/health").body()).contains("\"default\":{\"status\":\"DOWN\"");
            assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
        } finally {
            server.start();
        }

        assertThat(exchange(call("default", ALL, "/fhir/Patient/" + id)).statusCode())
                .isEqualTo(404);
        assertThat(exchange(call("default", ALL, "/fhir")
                                .header("Content-Type", FHIR_JSON)
                                .POST(HttpRequest.BodyPublishers.ofString(transaction())))
                        .statusCode())
                .isEqualTo(200);
        assertThat(sourceOf(exchange(call("default", ALL, "/fhir/Patient/" + id))))
                .isEqualTo(requestIdOf(id + "-b"));
        Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertThat(
                        management("/observe/health").body())
                .contains("\"default\":{\"status\":\"UP\""));
    }

    @Order(3)
    @Test
    void answersOthersWhileTheServerIsFrozen() throws Exception {
        ServerProcess server = SERVERS.fhirServer();
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        List<Future<HttpResponse<String>>> calls = new ArrayList<>();
        server.suspend();
        try {
            for (int i = 0; i < CALLERS; i++) {
                HttpRequest.Builder call = i == 0
                        ? put("default", Canary.patient(id))
                        : call("default", ALL, "/fhir/Patient?name=" + Canary.NAME + i);
                calls.add(callers.submit(() -> exchange(call)));
            }
            for (int i = 0; i < 10; i++) {
                assertThat(exchange(call("default", "prescriptions.read", "/api/prescriptions?patientId=nobody"))
                                .statusCode())
                        .isEqualTo(200);
            }
            DOUBLE.answer(id, (call, out) -> FhirDouble.write(out, FhirDouble.ok(Canary.patient(id))));
            assertThat(exchange(call("broken", ALL, "/fhir/Patient/" + id)).statusCode())
                    .as("another tenant")
                    .isEqualTo(200);
            assertThat(calls).as("frozen calls").anyMatch(call -> !call.isDone());
            for (Future<HttpResponse<String>> call : calls) {
                HttpResponse<String> answer = call.get();
                assertThat(answer.statusCode()).isIn(429, 503, 504);
                requireTemporary(answer, answer.statusCode());
            }
        } finally {
            server.resume();
            callers.shutdown();
        }
        assertThat(exchange(call("default", ALL, "/fhir/Patient?name=" + Canary.NAME))
                        .statusCode())
                .isEqualTo(200);
    }

    private HttpRequest.Builder put(String tenant, String patient) {
        return json(tenant, "PUT", "/Patient/" + id, patient);
    }

    private HttpRequest.Builder json(String tenant, String method, String path, String body) {
        return call(tenant, ALL, "/fhir" + path)
                .header("Content-Type", FHIR_JSON)
                .method(method, HttpRequest.BodyPublishers.ofString(body));
    }

    private static String bundle(String type, String resource, String method, String url) {
        return """
                {"resourceType": "Bundle", "type": "%s", "entry": [
                 {"resource": %s, "request": {"method": "%s", "url": "%s"}}]}"""
                .formatted(type, resource, method, url);
    }

    /** @param diagnostics as JSON */
    private static String outcome(String diagnostics) {
        return """
                {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid", "diagnostics": %s}]}"""
                .formatted(diagnostics);
    }

    /** Calls by a route of {@code fhir/calls.camel.yaml}. */
    private Exchange ownCall(String tenant, String route, String body, Map<String, Object> arguments) {
        ExchangeBuilder exchange =
                ExchangeBuilder.anExchange(camel).withBody(body).withProperty("tenant", tenant);
        arguments.forEach(exchange::withHeader);
        return camel.createProducerTemplate().send("direct:" + route, exchange.build());
    }

    private static void requireFailure(Exchange exchange) {
        assertThat(exchange.getException()).isInstanceOf(FhirFailure.class);
        requireNoPatient(exchange);
    }

    private static void requireNoPatient(Exchange exchange) {
        if (exchange.getException() != null) {
            StringWriter text = new StringWriter();
            exchange.getException().printStackTrace(new PrintWriter(text));
            Canary.requireNoneIn("a failure", text.getBuffer());
        }
        Canary.requireNoneIn("the headers", exchange.getMessage().getHeaders().toString());
    }

    private static void requireSuccess(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
    }

    /** The outcome is the server's, which may repeat what its caller has sent. */
    private static void requireRefusal(int status, HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body())
                .contains("OperationOutcome")
                .doesNotContain(SERVERS.fhirServer().address());
        assertThat(answer.headers().firstValue("X-Correlation-Id")).isPresent();
        Canary.requireNoneIn("the headers of the answer", answer.headers().map().toString());
    }

    private String transaction() {
        return """
                {"resourceType": "Bundle", "type": "transaction", "entry": [
                 {"resource": %s, "request": {"method": "PUT", "url": "Patient/%s"}},
                 {"resource": %s, "request": {"method": "PUT", "url": "Patient/%s"}}]}"""
                .formatted(Canary.patient(id), id, Canary.patient(id + "-b"), id + "-b");
    }

    private static boolean isLocked(JdbcTemplate fhir) {
        return fhir.queryForObject(
                        "select count(*) from pg_stat_activity where datname = 'fhir' and wait_event_type = 'Lock'",
                        Integer.class)
                > 0;
    }

    private static String sourceOf(HttpResponse<String> patient) {
        JsonNode source = json(patient.body()).at("/meta/source");
        return source.asText().substring(1);
    }

    private String requestIdOf(String patient) {
        return jdbc.sql("select request_id from fhir_outcome where type = 'Patient' and id = ?")
                .param(patient)
                .query(String.class)
                .single();
    }
}
