package routes.fhir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static routes.fhir.WrongRequest.SECRET;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;
import routes.RawHttp;
import routes.fhir.WrongRequest.Origin;
import routes.platform.fhir.RawServer;

/**
 * Asks for every error below {@code /fhir} as any HTTP client would, in JSON and in XML. The tenant {@code default} has
 * a real server, {@code scripted} one that fails in every way, {@code nowhere} one that refuses connections.
 */
@TestPropertySource(
        properties = {
            "event-broker.fhir.response-timeout=2s",
            "event-broker.fhir.connect-timeout=1s",
            "event-broker.fhir.max-body=1MB",
            "event-broker.http.body-timeout=1s",
            "event-broker.http.client-rate=" + FhirErrorsIT.RATE
        })
@DirtiesContext
class FhirErrorsIT extends FhirIT {

    static final int RATE = 40;

    private static final RawServer SCRIPTED = newServer();
    private static final FhirContext FHIR = FhirContext.forR4();
    private static final List<Integer> LATER = List.of(429, 503, 504);
    private static final Pattern ASKED = Pattern.compile("/Patient/([a-z]+)(?:-(\\d+))?");
    private static final Pattern CORRELATION_ID = Pattern.compile("(?im)^X-Correlation-Id: (\\S+)\r?$");
    private static final Pattern CONTENT_TYPE = Pattern.compile("(?im)^Content-Type: ([^;\\s]+)");
    private static final Pattern RETRY_AFTER = Pattern.compile("(?im)^Retry-After: [1-9]\\d*\r?$");

    /** How a caller asks for JSON or XML. */
    enum Form {
        DEFAULT(null, null, "json"),
        JSON_BY_FORMAT("application/fhir+xml", "json", "json"),
        XML_BY_ACCEPT("application/fhir+xml", null, "xml"),
        XML_BY_FORMAT(null, "xml", "xml");

        private final String accept;
        private final String format;
        private final String answered;

        Form(String accept, String format, String answered) {
            this.accept = accept;
            this.format = format;
            this.answered = answered;
        }

        WrongRequest of(WrongRequest request) {
            WrongRequest accepting = accept == null ? request : request.with("Accept", accept);
            return format == null ? accepting : accepting.inFormat(format);
        }
    }

    private static RawServer newServer() {
        try {
            return new RawServer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @DynamicPropertySource
    static void failingServers(DynamicPropertyRegistry registry) {
        registry.add("event-broker.fhir.servers.scripted.url", () -> SCRIPTED.url("/fhir"));
        registry.add("event-broker.fhir.servers.nowhere.url", () -> "http://127.0.0.1:1/fhir");
    }

    @BeforeAll
    static void prepare() {
        SCRIPTED.answerByHead((head, in, out) -> script(head, out));
        put(WrongRequests.PRESENT, "");
        put(WrongRequests.DELETED, "");
        assertThat(exchange(HttpRequest.newBuilder(at(WrongRequests.DELETED)).DELETE())
                        .statusCode())
                .isEqualTo(200);
        put(WrongRequests.TWICE + "-1", WrongRequests.TWICE);
        put(WrongRequests.TWICE + "-2", WrongRequests.TWICE);
    }

    private static URI at(String patient) {
        return URI.create(server + "/Patient/" + patient);
    }

    private static void put(String id, String identifier) {
        String patient =
                """
                {"resourceType": "Patient", "id": "%s", "active": true, "identifier": [{"value": "%s"}]}"""
                        .formatted(id, identifier.isEmpty() ? id : identifier);
        assertThat(exchange(HttpRequest.newBuilder(at(id))
                                .header("Content-Type", "application/fhir+json")
                                .PUT(HttpRequest.BodyPublishers.ofString(patient)))
                        .statusCode())
                .isEqualTo(201);
    }

    /** Answers as the id of the resource says, such as {@code outcome-404}. */
    private static void script(String head, OutputStream out) throws IOException, InterruptedException {
        Matcher asked = ASKED.matcher(head);
        if (!asked.find()) {
            // the runtime asks for the server's health
            out.write(answer("404", "application/fhir+json", "").getBytes(UTF_8));
            return;
        }
        boolean isXml = head.contains("_format=xml") || head.contains("fhir+xml") && !head.contains("_format=json");
        String type = "application/fhir+" + (isXml ? "xml" : "json");
        String outcome = isXml
                ? "<OperationOutcome xmlns=\"http://hl7.org/fhir\"><issue><severity value=\"error\"/>"
                        + "<code value=\"processing\"/><diagnostics value=\"see " + SCRIPTED.url("/fhir/1")
                        + "\"/></issue></OperationOutcome>"
                : """
                {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing", \
                "diagnostics": "see %s"}]}"""
                        .formatted(SCRIPTED.url("/fhir/1"));
        String answer =
                switch (asked.group(1)) {
                    case "outcome" -> answer(asked.group(2), type, outcome);
                    case "bare" -> answer(asked.group(2), type, "");
                    case "html" -> answer("200", "text/html", "<html>at " + SCRIPTED.url("/") + "</html>");
                    case "redirection" ->
                        answer("302", "text/html", "")
                                .replace("\r\n\r\n", "\r\nLocation: " + SCRIPTED.url("/") + "\r\n\r\n");
                    case "half" ->
                        "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: 5000\r\n\r\n" + outcome;
                    case "silence" -> {
                        TimeUnit.HOURS.sleep(1);
                        yield "";
                    }
                    default -> "\0" + SECRET + "\r\n\r\n";
                };
        out.write(answer.getBytes(UTF_8));
    }

    private static String answer(String status, String type, String body) {
        return "HTTP/1.1 %s X\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                .formatted(status, type, body.length(), body);
    }

    static Stream<Arguments> requests() {
        return Stream.of(
                        WrongRequests.malformed(),
                        WrongRequests.callers(),
                        WrongRequests.unacceptable(),
                        WrongRequests.ofTheServer(),
                        WrongRequests.ofTheScript())
                .flatMap(requests -> requests)
                .flatMap(request -> Stream.of(Form.values()).map(form -> Arguments.of(request, form)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("requests")
    void answersAnOutcome(WrongRequest request, Form form) throws IOException {
        requireOutcome(request, form, send(form.of(request)));
    }

    static Stream<Arguments> heads() {
        // Tomcat reads no header Accept behind the mistake
        return WrongRequests.heads().flatMap(request -> Stream.of(Form.DEFAULT, Form.JSON_BY_FORMAT, Form.XML_BY_FORMAT)
                .map(form -> Arguments.of(request, form)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("heads")
    void answersAnOutcomeToAMalformedHead(WrongRequest request, Form form) throws IOException {
        requireOutcome(request, form, send(form.of(request)));
    }

    @ParameterizedTest
    @EnumSource
    void answersAnOutcomeWhenTheServerIsDown(Form form) throws IOException {
        WrongRequest read =
                WrongRequest.of(503, "nobody", "GET /fhir/Patient/" + SECRET).as(tokenOf("ann", "nowhere", ALL));
        requireOutcome(read, form, send(form.of(read)));
    }

    @ParameterizedTest
    @EnumSource(names = {"DEFAULT", "XML_BY_ACCEPT"})
    void answersAnOutcomeWhenTheServerIsSilent(Form form) throws IOException {
        WrongRequest read =
                WrongRequest.of(504, "silence", "GET /fhir/Patient/silence").as(tokenOf("ann", "scripted", ALL));
        requireOutcome(read, form, send(form.of(read)));
    }

    @ParameterizedTest
    @EnumSource(names = {"DEFAULT", "XML_BY_ACCEPT"})
    void answersAnOutcomeAboveTheRate(Form form) throws IOException {
        WrongRequest fast =
                WrongRequest.of(429, "too fast", "GET /fhir/" + SECRET).as(token(ALL));
        RawHttp.Answer answer = send(form.of(fast));
        for (int i = 0; i < 10 * RATE && answer.status() == 404; i++) {
            answer = send(form.of(fast));
        }
        requireOutcome(fast, form, answer);
    }

    @ParameterizedTest
    @EnumSource(names = {"DEFAULT", "XML_BY_ACCEPT"})
    void answersAnOutcomeWhenTheBodyDoesNotArrive(Form form) throws IOException {
        WrongRequest slow = form.of(WrongRequest.of(408, "slow", "POST /fhir/Patient")
                .as(token(ALL))
                .with("X-Correlation-Id", "visit-slow")
                .with("Content-Type", "application/fhir+json")
                .with("Content-Length", "500"));
        try (Socket socket = RawHttp.open(uri("/").getPort(), slow.bytes())) {
            // each byte within the time limit of a pause, and all of them beyond that of a body
            Trickle trickle = new Trickle(socket);
            trickle.start();
            RawHttp.Answer answer = RawHttp.Answer.of(socket.getInputStream().readAllBytes());
            trickle.interrupt();
            requireOutcome(slow, form, answer);
        }
    }

    /** Sends a body byte by byte until nobody reads it. */
    private static final class Trickle extends Thread {

        private final Socket socket;

        Trickle(Socket socket) {
            this.socket = socket;
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                while (!isInterrupted()) {
                    socket.getOutputStream().write(' ');
                    TimeUnit.MILLISECONDS.sleep(300);
                }
            } catch (IOException | InterruptedException e) {
                // the answer has ended the connection
            }
        }
    }

    private RawHttp.Answer send(WrongRequest request) throws IOException {
        WrongRequest complete = request.headers().containsKey("Authorization") ? request : request.as(token(ALL));
        if (!complete.headers().containsKey("X-Correlation-Id")) {
            complete = complete.with("X-Correlation-Id", correlationId(request));
        }
        return RawHttp.send(uri("/").getPort(), complete.bytes());
    }

    private static String correlationId(WrongRequest request) {
        return request.headers().getOrDefault("X-Correlation-Id", "visit-" + UUID.nameUUIDFromBytes(request.bytes()));
    }

    private void requireOutcome(WrongRequest request, Form form, RawHttp.Answer answer) {
        String all = answer.head() + "\n\n" + answer.body();
        assertThat(answer.status()).as(all).isEqualTo(request.status());
        String type = "application/fhir+" + form.answered;
        assertThat(all(CONTENT_TYPE, answer)).as(all).containsExactly(type);
        IParser parser = form.answered.equals("xml") ? FHIR.newXmlParser() : FHIR.newJsonParser();
        parser.setParserErrorHandler(new StrictErrorHandler());
        OperationOutcome outcome = parser.parseResource(OperationOutcome.class, answer.body());
        assertThat(outcome.getIssue()).as(all).isNotEmpty().allSatisfy(issue -> {
            assertThat(issue.getSeverity()).isNotNull();
            assertThat(issue.getCode()).isNotNull();
            assertThat(issue.getDiagnostics()).isNotBlank();
        });
        assertThat(all(CORRELATION_ID, answer)).as(all).hasSize(1);
        if (request.origin() != Origin.HEAD && !correlationId(request).contains(" ")) {
            assertThat(all(CORRELATION_ID, answer)).containsExactly(correlationId(form.of(request)));
        }
        assertThat(RETRY_AFTER.matcher(answer.head()).find())
                .as("Retry-After: " + all)
                .isEqualTo(LATER.contains(request.status()));
        assertThat(all)
                .doesNotContain(
                        "\tat ",
                        "Exception",
                        server.getAuthority(),
                        SCRIPTED.url("").getAuthority());
        if (request.origin() != Origin.SERVER) {
            requireHint(request, answer);
            assertThat(all).doesNotContain(SECRET, "127.0.0.1:1/");
        }
    }

    /** What HTTP wants beside the body: what would be right instead. */
    private static void requireHint(WrongRequest request, RawHttp.Answer answer) {
        String hint =
                switch (request.status()) {
                    case 401 -> "\r\nWWW-Authenticate: Bearer";
                    case 405 -> "\r\nAllow: ";
                    default -> "";
                };
        assertThat(answer.head()).contains(hint);
    }

    private static List<String> all(Pattern header, RawHttp.Answer answer) {
        return header.matcher(answer.head())
                .results()
                .map((MatchResult found) -> found.group(1))
                .toList();
    }
}
