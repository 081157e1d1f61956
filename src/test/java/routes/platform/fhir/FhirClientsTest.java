package routes.platform.fhir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import ca.uhn.fhir.rest.client.api.IGenericClient;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.hl7.fhir.r4.model.Patient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import routes.platform.error.FailureClassifier;
import routes.platform.fhir.FhirFailure.Kind;
import routes.platform.fhir.FhirSettings.Server;

/** Calls servers that fail in ways in which only a broken server or network fails. */
@Timeout(30)
class FhirClientsTest {

    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n";
    private static final String PATIENT = "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}";
    private static final String OK = HEAD + "Content-Length: " + PATIENT.length() + "\r\n\r\n" + PATIENT;

    private RawServer server;
    private FhirTestClient client;
    private IGenericClient fhir;

    @BeforeEach
    void start() throws Exception {
        server = new RawServer();
        client = new FhirTestClient(TestFhirSettings.of(server.url("/fhir")));
        fhir = client.clients().of("default");
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        server.close();
    }

    private FhirFailure read() {
        return read(fhir);
    }

    private static FhirFailure read(IGenericClient client) {
        return catchThrowableOfType(
                FhirFailure.class,
                () -> client.read().resource(Patient.class).withId("p-1").execute());
    }

    private FhirFailure write() {
        Patient patient = new Patient();
        patient.setId("p-1");
        return catchThrowableOfType(
                FhirFailure.class, () -> fhir.update().resource(patient).execute());
    }

    private void assertDown(FhirFailure failure, boolean outcomeUnknown) {
        assertThat(failure.kind()).isEqualTo(Kind.DOWN);
        assertThat(failure.isOutcomeUnknown()).isEqualTo(outcomeUnknown);
        assertThat(failure).hasNoCause().hasMessageNotContaining("localhost");
        assertThat(new FailureClassifier().isDependencyDown(failure)).isTrue();
    }

    @Test
    void readsAnAnswer() {
        server.answer(OK);

        assertThat(read()).isNull();
        assertThat(client.states.all().get("default").isUp()).isTrue();
    }

    @Test
    void knowsThatNothingHappenedAtAServerThatIsAway() throws Exception {
        server.close();

        assertDown(write(), false);
        assertThat(client.states.all().get("default").isUp()).isFalse();
    }

    @Test
    void doesNotKnowTheOutcomeOfAWriteWithoutAnAnswer() {
        server.answer("");

        assertDown(write(), true);
        assertDown(read(), false);
        assertThat(server.heads()).hasSize(2);
    }

    @Test
    void endsACallWhoseAnswerBreaksOff() {
        server.answer(HEAD + "Content-Length: 1000\r\n\r\n" + PATIENT);

        assertDown(read(), false);
    }

    @Test
    void endsACallWhoseChunksBreakOff() {
        server.answer(HEAD + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + PATIENT.substring(0, 5) + "\r\n");

        assertDown(write(), true);
    }

    @Test
    void endsACallWhoseBodyArrivesByteByByte() {
        server.answer((in, out) -> {
            write(out, HEAD + "Content-Length: 10000\r\n\r\n");
            while (true) {
                write(out, " ");
                Thread.sleep(20);
            }
        });

        assertDown(read(), false);
        assertThat(client.states.all()).isEmpty();
    }

    @Test
    void endsACallWhoseErrorHasNoEnd() {
        server.answer((in, out) -> {
            write(out, "HTTP/1.1 422 No\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (true) {
                write(out, "400\r\n" + "x".repeat(1024) + "\r\n");
            }
        });

        assertThat(read().kind()).isEqualTo(Kind.REFUSED);
    }

    @Test
    void limitsTheCallsOfOneServer() throws Exception {
        server.answer((in, out) -> Thread.sleep(60_000));
        List<CompletableFuture<FhirFailure>> waiting = new ArrayList<>();
        for (int i = 0; i < TestFhirSettings.OWN_CALLS; i++) {
            waiting.add(CompletableFuture.supplyAsync(this::read));
        }
        await().until(() -> server.heads().size() == TestFhirSettings.OWN_CALLS);

        FhirFailure failure = write();

        assertDown(failure, false);
        assertThat(failure).hasMessageContaining("ConnectionPoolTimeoutException");
        assertThat(client.states.all()).isEmpty();
        for (CompletableFuture<FhirFailure> call : waiting) {
            assertDown(call.get(), false);
        }
    }

    @Test
    void callsTheServerOfTheTenantWithItsCredentials() throws Exception {
        try (RawServer other = new RawServer();
                FhirTestClient both = new FhirTestClient(TestFhirSettings.of(Map.of(
                        "default", new Server(server.url("/fhir"), "broker", "secret", null),
                        "other", new Server(other.url("/r4"), null, null, null))))) {
            server.answer(OK);
            other.answer(OK);

            assertThat(read(both.clients().of("default"))).isNull();
            assertThat(read(both.clients().of("other"))).isNull();

            assertThat(server.heads())
                    .singleElement()
                    .asString()
                    .startsWith("GET /fhir/Patient/p-1 HTTP/1.1\r\n")
                    .contains("Authorization: Basic YnJva2VyOnNlY3JldA==\r\n");
            assertThat(other.heads())
                    .singleElement()
                    .asString()
                    .startsWith("GET /r4/Patient/p-1 HTTP/1.1\r\n")
                    .doesNotContain("Authorization");
        }
    }

    @Test
    void measuresCallsByTheirResult() throws Exception {
        server.answer(OK);
        read();
        server.answer("");
        read();

        assertThat(client.meters
                        .get("event-broker.fhir.calls")
                        .tags("tenant", "default", "result", "ok")
                        .timer()
                        .count())
                .isEqualTo(1);
        assertThat(client.meters
                        .get("event-broker.fhir.calls")
                        .tags("tenant", "default", "result", "down")
                        .timer()
                        .count())
                .isEqualTo(1);
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(UTF_8));
    }
}
