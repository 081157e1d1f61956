package routes.platform.fhir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ResolveEndpointFailedException;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.errorhandler.NoErrorHandlerDefinition;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Patient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.fhir.FhirFailure.Kind;
import routes.platform.fhir.FhirSettings.Server;

/** Calls a server by {@code fhir:} endpoints in YAML: {@code fhir/calls.camel.yaml}. */
@Timeout(30)
class FhirEndpointsTest {

    private static final String CANARY = "Zoë-canary";
    private static final String TOKEN = "token-canary";
    private static final String FHIR_JSON = "application/fhir+json;charset=UTF-8";
    private static final String PATIENT =
            """
            {"resourceType": "Patient", "id": "p-1", "name": [{"family": "Zoë-canary"}]}""";
    private static final String REFUSAL =
            """
            {"resourceType": "OperationOutcome", "issue":
              [{"severity": "error", "code": "invalid", "diagnostics": "Zoë-canary is not valid"}]}""";

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<String> bodies = new CopyOnWriteArrayList<>();
    private final List<Map<String, List<String>>> headers = new CopyOnWriteArrayList<>();
    private final CamelContext camel = new DefaultCamelContext();
    private HttpServer server;
    private FhirTestClient client;
    private int status = 200;
    private String type = FHIR_JSON;
    private String answer = "{}";

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::serve);
        server.start();
        client = new FhirTestClient(TestFhirSettings.of(Map.of("default", new Server(url(), null, null, TOKEN))));
        client.bindTo(camel);
        PluginHelper.getRoutesLoader(camel)
                .loadRoutes(ResourceHelper.resolveResource(camel, "classpath:fhir/calls.camel.yaml"));
        camel.getCamelContextExtension().setErrorHandlerFactory(new NoErrorHandlerDefinition());
        camel.start();
    }

    @AfterEach
    void stop() throws Exception {
        camel.close();
        client.close();
        server.stop(0);
    }

    private URI url() {
        return URI.create("http://localhost:" + server.getAddress().getPort() + "/fhir");
    }

    private void serve(HttpExchange exchange) throws IOException {
        requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
        headers.add(Map.copyOf(exchange.getRequestHeaders()));
        bodies.add(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
        byte[] body = answer.getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private Exchange call(String route, Object body, Map<String, Object> arguments) {
        return call("default", route, body, arguments);
    }

    private Exchange call(String tenant, String route, Object body, Map<String, Object> arguments) {
        ExchangeBuilder exchange = ExchangeBuilder.anExchange(camel).withBody(body);
        arguments.forEach(exchange::withHeader);
        return camel.createProducerTemplate()
                .send("direct:" + route, exchange.withProperty("tenant", tenant).build());
    }

    private FhirFailure failure(Exchange exchange) {
        assertThat(exchange.getException()).isInstanceOf(FhirFailure.class);
        return (FhirFailure) exchange.getException();
    }

    private static String bundle(String resource) {
        return """
                {"resourceType": "Bundle", "type": "history", "entry": [{"resource": %s}]}"""
                .formatted(resource);
    }

    @Test
    void readsTheHistoryOfAResource() {
        answer = bundle(PATIENT);

        Exchange exchange = call("history", "Patient/p-1", Map.of());

        Bundle history = exchange.getMessage().getBody(Bundle.class);
        assertThat(((Patient) history.getEntryFirstRep().getResource())
                        .getNameFirstRep()
                        .getFamily())
                .isEqualTo(CANARY);
        assertThat(requests).containsExactly("GET /fhir/Patient/p-1/_history");
    }

    @Test
    void readsAVersion() {
        answer = PATIENT;

        Exchange exchange = call("read-version", "Patient/p-1/_history/2", Map.of());

        assertThat(exchange.getMessage().getBody()).isInstanceOf(Patient.class);
        assertThat(requests).containsExactly("GET /fhir/Patient/p-1/_history/2");
    }

    @Test
    void searchesWithoutACachedAnswer() {
        answer = bundle(PATIENT);

        Exchange exchange = call("search", "Patient?_source=%23abcdefgh12345678", Map.of());

        assertThat(exchange.getMessage().getBody()).isInstanceOf(Bundle.class);
        assertThat(requests).containsExactly("GET /fhir/Patient?_source=%23abcdefgh12345678");
        assertThat(headers.get(0))
                .containsEntry("Cache-control", List.of("no-cache"))
                .containsEntry("Authorization", List.of("Bearer " + TOKEN))
                .containsEntry("User-agent", List.of("event-broker"))
                .doesNotContainKeys("Accept-encoding", "Cookie");
    }

    @Test
    void storesUnderAnIdInUtf8() {
        status = 201;
        answer = PATIENT;

        Exchange exchange = call("put", PATIENT, Map.of("CamelFhir.stringId", "p-1"));

        assertThat(exchange.getException()).isNull();
        assertThat(requests).containsExactly("PUT /fhir/Patient/p-1");
        assertThat(bodies).containsExactly(PATIENT);
        assertThat(headers.get(0)).containsEntry("Content-type", List.of("application/fhir+json; charset=UTF-8"));
    }

    @Test
    void createsUnlessASearchFindsOne() {
        status = 201;
        answer = PATIENT;

        call("create-if-absent", PATIENT, Map.of("CamelFhir.url", "Patient?identifier=urn:a%7Cö 1"));

        assertThat(requests).containsExactly("POST /fhir/Patient");
        assertThat(headers.get(0))
                .containsEntry("If-none-exist", List.of(url() + "/Patient?identifier=urn%3Aa%7C%C3%B6%201"));
    }

    @Test
    void refusesACreateThatARepeatWouldDouble() {
        FhirFailure failure = failure(call("create-if-absent", PATIENT, Map.of()));

        assertThat(failure.kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(requests).isEmpty();
    }

    @Test
    void endsTheArgumentsWithTheCall() {
        answer = PATIENT;

        Exchange exchange = call("put", PATIENT, Map.of("CamelFhir.stringId", "p-1", "kept", "a"));

        assertThat(exchange.getMessage().getHeaders()).containsOnlyKeys("kept");
    }

    @Test
    void callsOnTheThreadOfTheRoute() throws Exception {
        answer = bundle(PATIENT);
        List<Thread> threads = new ArrayList<>();
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:thread").to("direct:history").process(exchange -> threads.add(Thread.currentThread()));
            }
        });

        call("thread", "Patient/p-1", Map.of());

        assertThat(threads).containsExactly(Thread.currentThread());
    }

    @ParameterizedTest
    @ValueSource(strings = {"fhir:meta/delete", "fhir:operation/onServer", "fhir:read/resourceById?serverUrl=http://a"})
    void failsTheStartOfARouteThatGoesAroundTheClient(String uri) {
        assertThatThrownBy(() -> camel.getEndpoint(uri)).isInstanceOf(ResolveEndpointFailedException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "read-version, Patient/p-1, 404, GONE, GET Patient/p-1, false",
        "read-version, Patient/p-1, 410, GONE, GET Patient/p-1, false",
        "history, Patient/p-1, 404, GONE, GET Patient/p-1/_history, false",
        "search, Foo?name=Zoë-canary, 404, REFUSED, GET Foo, false",
        "search, Patient?name=Zoë-canary, 400, REFUSED, GET Patient, false",
        "search, Patient?name=Zoë-canary, 401, DOWN, GET Patient, false",
        "search, Patient?name=Zoë-canary, 403, DOWN, GET Patient, false",
        "search, Patient?name=Zoë-canary, 302, DOWN, GET Patient, false",
        "search, Patient?name=Zoë-canary, 429, DOWN, GET Patient, false",
        "search, Patient?name=Zoë-canary, 500, DOWN, GET Patient, false",
        "put, '', 408, DOWN, PUT Patient/p-1, true",
        "put, '', 409, CONFLICT, PUT Patient/p-1, false",
        "put, '', 412, CONFLICT, PUT Patient/p-1, false",
        "put, '', 422, REFUSED, PUT Patient/p-1, false",
        "put, '', 429, DOWN, PUT Patient/p-1, false",
        "put, '', 500, DOWN, PUT Patient/p-1, true",
        "put, '', 501, REFUSED, PUT Patient/p-1, false",
        "put, '', 503, DOWN, PUT Patient/p-1, true"
    })
    void namesTheFailureAndNothingElse(
            String route, String body, int answered, Kind kind, String call, boolean outcomeUnknown) {
        status = answered;
        answer = REFUSAL;
        boolean isPut = route.equals("put");

        Exchange exchange = call(route, isPut ? PATIENT : body, isPut ? Map.of("CamelFhir.stringId", "p-1") : Map.of());

        FhirFailure failure = failure(exchange);
        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure.status()).isEqualTo(answered);
        assertThat(failure.isOutcomeUnknown()).isEqualTo(outcomeUnknown);
        assertThat(failure)
                .hasNoCause()
                .hasMessage("%s: %s at the FHIR server of tenant default: %d%s"
                        .formatted(kind, call, answered, outcomeUnknown ? ", outcome unknown" : ""));
        assertThat(requests).hasSize(1);
    }

    @Test
    void takesThePageOfAProxyForAServerThatIsDown() {
        status = 404;
        type = "text/html";
        answer = "<html>" + CANARY + "</html>";

        assertThat(failure(call("read-version", "Patient/p-1", Map.of())).kind())
                .isEqualTo(Kind.DOWN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"resourceType\": \"Patient\", \"birthDate\": \"Zoë-canary\"}",
                "{\"resourceType\": \"Patient\", \"name\": [{\"family\": \"Zoë-canary",
                "{\"resourceType\": \"Zoë-canary\"}",
                "Zoë-canary"
            })
    void repeatsNothingOfAnAnswerThatIsNotFhir(String rubbish) {
        answer = rubbish;

        FhirFailure failure = failure(call("read-version", "Patient/p-1", Map.of()));

        assertThat(failure.kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(text(failure)).doesNotContain(CANARY);
    }

    @ParameterizedTest
    @ValueSource(strings = {"put", "create-if-absent"})
    void repeatsNothingOfAnArgumentThatIsNotFhir(String route) {
        FhirFailure failure = failure(call(
                route,
                "{\"resourceType\": \"Patient\", \"birthDate\": \"Zoë-canary\"",
                Map.of("CamelFhir.stringId", "p-1", "CamelFhir.url", "Patient?name=Zoë-canary")));

        assertThat(text(failure)).doesNotContain(CANARY);
        assertThat(failure.kind()).isEqualTo(Kind.REFUSED);
        assertThat(requests).isEmpty();
    }

    @Test
    void limitsTheSizeOfAnAnswer() {
        answer = PATIENT + " ".repeat((int) TestFhirSettings.OWN_ANSWER.toBytes());

        FhirFailure failure = failure(call("read-version", "Patient/p-1", Map.of()));

        assertThat(failure.kind()).isEqualTo(Kind.UNKNOWN);
        assertThat(failure).hasMessageContaining("AnswerTooLargeException");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://other.example/fhir/Patient?name=a", "Patient/../../admin", "../admin"})
    void searchesNowhereElse(String url) {
        failure(call("search", url, Map.of()));

        assertThat(requests).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Patient/p-1?a=b", "Patient/p-1/_history/1#a", "Patient/a b"})
    void readsNowhereElse(String id) {
        FhirFailure failure = failure(call("read-version", id, Map.of()));

        assertThat(failure.kind()).isEqualTo(Kind.REFUSED);
        assertThat(requests).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../admin", "../admin", "p-1/../../../admin", "p-1?a=b", "p-1#a", "p-1/_history/1"})
    void writesNowhereElse(String id) {
        FhirFailure failure = failure(call("put", PATIENT, Map.of("CamelFhir.stringId", id)));

        assertThat(failure.kind()).isEqualTo(Kind.REFUSED);
        assertThat(requests).isEmpty();
    }

    @Test
    void refusesATenantWithoutAServer() {
        FhirFailure failure = failure(call("other", "read-version", "Patient/p-1", Map.of()));

        assertThat(failure.kind()).isEqualTo(Kind.REFUSED);
        assertThat(failure).hasMessageContaining("tenant other: there is none");
    }

    @Test
    void refusesACallWithoutATenant() {
        assertThat(failure(call(null, "read-version", "Patient/p-1", Map.of())))
                .hasMessageContaining("names no tenant");
    }

    /** Levels of application.yaml hold even when an operator asks for more of everything else. */
    @Test
    void keepsPatientsOutOfTheLogAtEveryLevel() throws Exception {
        try (LogCapture log = LogCapture.ofEverything()) {
            answer = bundle(PATIENT);
            call("history", "Patient/p-1", Map.of());
            call("put", PATIENT, Map.of("CamelFhir.stringId", "p-1"));
            call("create-if-absent", PATIENT, Map.of("CamelFhir.url", "Patient?name=" + CANARY));
            status = 422;
            answer = REFUSAL;
            call("put", PATIENT, Map.of("CamelFhir.stringId", "p-1"));
            call("search", "Patient?name=" + CANARY, Map.of());
            status = 200;
            answer = "{\"resourceType\": \"Patient\", \"birthDate\": \"" + CANARY + "\", \"" + CANARY + "\": 1}";
            call("read-version", "Patient/p-1", Map.of());
            call("put", answer, Map.of("CamelFhir.stringId", "p-1"));

            assertThat(log.lines())
                    .hasSizeGreaterThan(10)
                    .noneMatch(line -> line.contains(CANARY) || line.contains("canary") || line.contains(TOKEN));
        }
    }

    private static String text(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text.toString();
    }
}
