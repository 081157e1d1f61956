package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.core.JdbcTemplate;
import sandbox.ServerProcess;

/** The FHIR server is down, slow or broken: callers learn that, and nobody learns of a patient. */
class FhirOutageIT extends FailingFhirServer {

    /** For a busy machine, beyond the time limit of the server. */
    private static final Duration MARGIN = Duration.ofSeconds(10);

    /** More than the requests that may wait for a FHIR server. */
    private static final int CALLERS = 40;

    private static final String MAY_HAVE_HAPPENED = "the change may have happened";

    @ParameterizedTest
    @EnumSource
    void answersAnOutcomeWhenTheServer(BrokenAnswer broken) {
        DOUBLE.answer(id, broken.answer);
        long began = System.nanoTime();

        CompletableFuture<HttpResponse<String>> read = CompletableFuture.supplyAsync(
                () -> exchange(call("broken", ALL, "/fhir/Patient/" + id + "?_summary=" + Canary.NAME)));
        HttpResponse<String> written = exchange(put("broken", Canary.patient(id)));

        requireTemporary(written, broken.status);
        requireTemporary(read.join(), broken.status);
        if (broken != BrokenAnswer.REFUSES_OUR_CREDENTIALS) {
            assertThat(written.body()).contains(MAY_HAVE_HAPPENED);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(LIMIT.plus(MARGIN));
        assertThat(exceptions()).as("exceptions of the routes").isNotEmpty();
    }

    @Test
    void answersAnOutcomeWhenTheServerReadsNothing() {
        DOUBLE.answer(id, (call, out) -> TimeUnit.HOURS.sleep(1));

        HttpResponse<String> written = exchange(
                put("broken", Canary.patient(id).replace(Canary.STREET, Canary.STREET + "-".repeat(1_000_000))));

        requireTemporary(written, 504);
        assertThat(written.body()).contains(MAY_HAVE_HAPPENED);
    }

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
    }

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
        return call(tenant, ALL, "/fhir/Patient/" + id)
                .header("Content-Type", FHIR_JSON)
                .PUT(HttpRequest.BodyPublishers.ofString(patient));
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
