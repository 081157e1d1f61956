package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import routes.RunningImage;
import sandbox.ServerProcess;
import sandbox.Servers;
import sandbox.Tokens;

/** Two FHIR servers answer nothing while many callers ask for them: reads of everything else stay fast. */
@Tag("faults")
class FrozenFhirIT {

    private static final Duration LENGTH = Duration.ofSeconds(30);
    private static final int CALLERS_OF_A_SERVER = 32;
    private static final String PRESCRIPTIONS = "/api/prescriptions?limit=1&patientId=nobody";
    private static final String SEARCH = "/fhir/Patient?name=" + Canary.NAME;

    private static Servers servers;
    private static ServerProcess frozen;
    private static FhirDouble silent;
    private static Instance instance;
    private static Tokens tokens;

    @BeforeAll
    static void start() throws Exception {
        servers = Servers.shared();
        frozen = servers.fhirServer();
        silent = new FhirDouble();
        silent.answerOthers((call, out) -> TimeUnit.HOURS.sleep(1));
        tokens = new Tokens(servers.tokenIssuer().address());
        instance = new Instance(
                servers,
                Instance.OWN_ROUTES,
                "EVENTBROKER_FHIR_SERVERS_OTHER_URL=" + silent.url(),
                "EVENTBROKER_FHIR_RESPONSETIMEOUT=5s");
        instance.ready();
    }

    @AfterAll
    static void stop() throws Exception {
        instance.close();
        silent.close();
    }

    @Test
    void readsOfOthersStayFast() throws Exception {
        BusyCallers callers = new BusyCallers(
                instance.runtime.uri("").getPort(),
                List.of(
                        BusyCallers.Kind.flood(CALLERS_OF_A_SERVER, search(tokens.sandbox())),
                        BusyCallers.Kind.flood(CALLERS_OF_A_SERVER, search(tokens.of("other")))));
        frozen.suspend();
        try (callers;
                SteadyReads reads = new SteadyReads(instance.runtime, PRESCRIPTIONS, tokens.of("reader"))) {
            reads.start();
            callers.goOnFor(LENGTH);
            requireRejection();
            SteadyReads.Durations durations = reads.stop();

            System.out.printf(
                    "faults: two FHIR servers answer nothing to %d callers for %d s: %s; the callers were answered %s%n",
                    2 * CALLERS_OF_A_SERVER, LENGTH.toSeconds(), durations, callers.answers());
            assertThat(durations.p99()).isLessThan(SteadyReads.FAST.toMillis());
            assertThat(callers.answers()).containsKeys("503", "504").containsOnlyKeys("429", "503", "504");
        } finally {
            frozen.resume();
        }
        // the last calls of the other server wait until their timeout, and hold their places until then
        Patience.await()
                .until(() -> RunningImage.exchange(instance.runtime.request("/fhir/Patient?_count=1"))
                                .statusCode()
                        == 200);
    }

    private static String search(String authorization) {
        return "GET " + SEARCH + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + authorization + "\r\n\r\n";
    }

    /** Both the callers that wait and those that may not learn when to come again. */
    private static void requireRejection() throws Exception {
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(instance.runtime.request(SEARCH).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isIn(429, 503, 504);
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertThat(answer.body()).contains("OperationOutcome");
        Canary.requireNoneIn("the answer", answer.body());
        Canary.requireNoneIn(
                "the metrics", instance.runtime.management("/observe/metrics").body());
    }
}
