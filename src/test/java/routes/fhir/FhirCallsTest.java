package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.util.unit.DataSize;
import routes.platform.Caller;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirSettings;
import routes.platform.fhir.RawServer;
import routes.platform.fhir.TestFhirSettings;

/** Calls a server that answers what each test wants, down to the bytes. */
class FhirCallsTest {

    private static final Duration LIMIT = Duration.ofMillis(700);
    private static final Caller CALLER = new Caller("anna", "default", "default", null, Set.of(), Set.of());
    private static final String CANARY = "Zebulon-Canary";

    private final CloseableHttpClient http = HttpClients.custom()
            .disableAutomaticRetries()
            .setDefaultRequestConfig(org.apache.http.client.config.RequestConfig.custom()
                    .setSocketTimeout((int) LIMIT.toMillis())
                    .build())
            .build();
    private final MeterRegistry meters = new SimpleMeterRegistry();
    private RawServer server;
    private FhirCalls calls;

    @BeforeEach
    void listen() throws IOException {
        server = new RawServer();
        calls = calls(server.url("/fhir").toString());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
        http.close();
    }

    private FhirCalls calls(String url) {
        FhirSettings settings = new FhirSettings(
                Map.of("default", new FhirSettings.Server(URI.create(url), null, null, "secret-token")),
                null,
                Duration.ofSeconds(1),
                LIMIT,
                DataSize.ofMegabytes(1),
                DataSize.ofMegabytes(4),
                8,
                4,
                DataSize.ofMegabytes(1),
                List.of());
        return new FhirCalls(http, settings, TestFhirSettings.states(settings, meters));
    }

    /** Whether the server counts as up: 1, 0, or NaN before the first call. */
    private double up() {
        return meters.get("event-broker.fhir.server.up").gauge().value();
    }

    @Test
    void sendsTheRequestAsItWasRead() throws Exception {
        server.answer("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nETag: W/\"1\"\r\nSet-Cookie: a=b\r\n"
                + "Content-Length: 2\r\n\r\n{}");
        ServerAnswer answer = calls.send(request(false, "identifier=http://x|7&name=a,b&name=c%20d"));

        assertThat(new String(answer.readUpTo(100), StandardCharsets.UTF_8)).isEqualTo("{}");
        assertThat(answer.headers()).containsEntry("etag", "W/\"1\"").doesNotContainKey("set-cookie");
        assertThat(server.heads().get(0))
                .startsWith("GET /fhir/Patient?identifier=http://x%7C7&name=a,b&name=c%20d HTTP/1.1\r\n")
                .contains("\r\nX-Request-ID: 0123456789abcdef\r\n")
                .contains("\r\nAuthorization: Bearer secret-token\r\n")
                .contains("\r\nAccept: application/fhir+json\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nZebu",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nZebu",
                "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/Zebulon-Canary\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/fhir+json\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nZebu",
                "Zebulon-Canary\r\n\r\n",
                "HTTP/1.1 Zebulon-Canary\r\n\r\n",
                "",
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 4\r\n\r\nZebu",
                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 4\r\n\r\n<a/>",
                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+xml\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 500 Zebulon-Canary\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 503 No\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"m\":\"Zebulon-Canary\"}",
                "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\nZebulon-Canary"
            })
    void answers503ToRubbish(String rubbish) {
        server.answer(rubbish);
        ProblemException problem = problem(false);
        assertThat(problem.status()).isEqualTo(503);
        assertThat(problem.isTemporary()).isTrue();
        assertThat(problem.getMessage()).doesNotContain(CANARY).doesNotContain("may have happened");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<div xmlns=\"http://www.w3.org/1999/xhtml\">text</div>", " <div>x</div>", "null", ""})
    void passesTheTextOfAResource(String text) {
        server.answer("HTTP/1.1 200 OK\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(text.length(), text));
        FhirRequest request = request(false, "_format=json&_summary=text");
        assertThat(calls.readUpTo(1 << 20, calls.send(request), request))
                .asString()
                .isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html><div>Zebulon-Canary</div></html>", "<!doctype html>", "nullify", "<divider>"})
    void answers503ToThePageOfAProxyInsteadOfAText(String page) {
        server.answer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(page.length(), page));
        FhirRequest request = request(false, "_summary=text");
        assertThat(catchThrowableOfType(
                                ProblemException.class, () -> calls.readUpTo(1 << 20, calls.send(request), request))
                        .status())
                .isEqualTo(503);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "412 Zebulon-Canary\r\nContent-Length: 0",
                "413 Too Large\r\nContent-Type: text/html\r\nContent-Length: 0",
                "501 No\r\nContent-Type: text/html\r\nContent-Length: 0",
                "501 No\r\nContent-Type: application/fhir+json\r\nContent-Length: 0"
            })
    void keepsTheStatusOfARefusalWithoutAReason(String head) {
        server.answer("HTTP/1.1 " + head + "\r\n\r\n");
        ProblemException problem = problem(true);
        assertThat(problem.status()).isEqualTo(Integer.parseInt(head.substring(0, 3)));
        assertThat(problem.getMessage()).isEqualTo("the FHIR server refuses the request without a reason");
        assertThat(problem).isInstanceOf(NotDoneException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"408 Timeout", "425 Early"})
    void warnsOfATimeoutWithoutAReason(String status) {
        server.answer("HTTP/1.1 " + status + "\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n");
        ProblemException problem = problem(true);
        assertThat(problem.status()).isEqualTo(503);
        assertThat(problem.getMessage()).contains("the change may have happened");
        assertThat(problem.isTemporary()).isTrue();
    }

    @Test
    void doesNotClaimThatNothingHappenedWithoutProof() {
        server.answer("HTTP/1.1 406 No\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n");
        assertThat(problem(true)).isNotInstanceOf(NotDoneException.class);
    }

    @Test
    void asksForARepetitionWhenAProxyLimitsCalls() {
        server.answer("HTTP/1.1 429 Slow\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n");
        ProblemException problem = problem(true);
        assertThat(problem.status()).isEqualTo(429);
        assertThat(problem.isTemporary()).isTrue();
    }

    @Test
    void knowsThatNothingHappenedWithoutCredentials() {
        server.answer("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");

        assertThat(problem(true)).isInstanceOf(NotDoneException.class);
    }

    @ParameterizedTest
    @CsvSource({"200, 1", "404, 1", "412, 1", "403, 1", "401, 0", "502, 0", "503, 0", "500, NaN"})
    void tellsHealthWhatAnAnswerShows(int status, Double up) {
        server.answer("HTTP/1.1 %d x\r\nContent-Type: application/fhir+json\r\nContent-Length: 2\r\n\r\n{}"
                .formatted(status));
        FhirRequest request = request(false, null);

        catchThrowable(() -> calls.readUpTo(1 << 20, calls.send(request), request));

        assertThat(up()).isEqualTo(up);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Type: application/fhir+json\r\nContent-Length: 5\r\n\r\n\n  {}",
                "Content-Type: text/xml;charset=UTF-8\r\nContent-Length: 4\r\n\r\n<a/>"
            })
    void passesABodyOfItsType(String headersAndBody) {
        server.answer("HTTP/1.1 200 OK\r\n" + headersAndBody);
        FhirRequest request = request(false, null);
        assertThat(calls.readUpTo(1 << 20, calls.send(request), request)).isNotEmpty();
    }

    @Test
    void saysThatAWriteMayHaveHappened() {
        server.answer("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{");
        assertThat(problem(true).getMessage()).contains("the change may have happened");
    }

    @Test
    void answers504ToSilence() {
        server.answer((in, out) -> in.read());
        ProblemException problem = problem(true);
        assertThat(problem.status()).isEqualTo(504);
        assertThat(problem.isTemporary()).isTrue();
        assertThat(problem.getMessage()).contains("the change may have happened");
    }

    @Test
    void answers503WithoutAServer() throws IOException {
        server.close();
        ProblemException problem = problem(true);
        assertThat(problem.status()).isEqualTo(503);
        assertThat(problem.getMessage()).isEqualTo("the FHIR server is not available, try again");
        assertThat(problem).isInstanceOf(NotDoneException.class);
        assertThat(up()).isZero();
    }

    @Test
    void endsAnAnswerThatTrickles() {
        server.answer((in, out) -> {
            out.write("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 1000\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            while (true) {
                out.write(' ');
                out.flush();
                Thread.sleep(50);
            }
        });
        assertThat(problem(false).status()).isEqualTo(504);
    }

    @Test
    void refusesATenantWithoutAServer() {
        assertThatThrownBy(() -> calls.server("other")).hasMessage("this tenant has no FHIR server");
    }

    private ProblemException problem(boolean isWrite) {
        FhirRequest request = request(isWrite, null);
        return catchThrowableOfType(
                ProblemException.class, () -> calls.readUpTo(1 << 20, calls.send(request), request));
    }

    private static FhirRequest request(boolean isWrite, String query) {
        return new FhirRequest(
                CALLER,
                "c",
                "r",
                "0123456789abcdef",
                "GET",
                "Patient",
                query,
                Map.of("Accept", "application/fhir+json"),
                new byte[0],
                FhirFormat.NONE,
                false,
                "http://facade/fhir",
                List.of(new FhirInteraction("GET", "Patient", null, isWrite, Set.of())));
    }
}
