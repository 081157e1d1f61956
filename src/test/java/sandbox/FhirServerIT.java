package sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checks that the FHIR server of the sandbox has the interactions that the door passes on.
 *
 * @see <a href="https://hl7.org/fhir/R4/http.html">FHIR R4 RESTful API</a>
 */
@Timeout(240)
class FhirServerIT {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String JSON = "application/fhir+json";

    private static ServerProcess server;

    private final HttpClient http = HttpClient.newHttpClient();

    /** Starts outside the time limit of a test, because a new machine first downloads the server. */
    @BeforeAll
    static void start() {
        server = Servers.shared().fhirServer();
    }

    @Test
    void keepsTheRequestIdAndTheTextOfAVersion() throws Exception {
        HttpResponse<String> created = send(
                "POST",
                "/Patient",
                """
                {"resourceType": "Patient", "name": [{"family": "Müller-Østergård 李"}]}""",
                "X-Request-ID",
                "Zk3f9Qw7Lm2Xc8Vb");

        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(header(created, "X-Request-ID")).isEqualTo("Zk3f9Qw7Lm2Xc8Vb");
        assertThat(header(created, "Location")).startsWith(server.address() + "/Patient/");
        JsonNode stored = json(send("GET", path(header(created, "Location")), null));
        assertThat(stored.at("/meta/source").asText()).isEqualTo("#Zk3f9Qw7Lm2Xc8Vb");
        assertThat(stored.at("/name/0/family").asText()).isEqualTo("Müller-Østergård 李");
    }

    @Test
    void createsOnceForACondition() throws Exception {
        String identifier = identifier();
        String patient =
                """
                {"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": "%s"}]}"""
                        .formatted(identifier);
        String condition = "identifier=urn:test|" + identifier;

        HttpResponse<String> first = send("POST", "/Patient", patient, "If-None-Exist", condition);
        HttpResponse<String> second = send("POST", "/Patient", patient, "If-None-Exist", condition);

        assertThat(first.statusCode()).isEqualTo(201);
        assertThat(second.statusCode()).isEqualTo(200);
        assertThat(json(second).path("id")).isEqualTo(json(first).path("id"));
    }

    @Test
    void updatesAndDeletesByCondition() throws Exception {
        String identifier = identifier();
        String condition = "/Patient?identifier=urn:test%7C" + identifier;
        String patient =
                """
                {"resourceType": "Patient", "active": %s, "identifier": [{"system": "urn:test", "value": "%s"}]}""";

        assertThat(send("PUT", condition, patient.formatted(true, identifier)).statusCode())
                .isEqualTo(201);
        HttpResponse<String> updated = send("PUT", condition, patient.formatted(false, identifier));
        assertThat(updated.statusCode()).isEqualTo(200);
        assertThat(header(updated, "ETag")).isEqualTo("W/\"2\"");
        assertThat(send("DELETE", condition, null).statusCode()).isEqualTo(200);
        assertThat(json(send("GET", condition, null)).path("total").asInt()).isZero();
    }

    @Test
    void refusesAnUpdateOfAnOldVersion() throws Exception {
        String id = create();
        String patient = """
                {"resourceType": "Patient", "id": "%s", "active": true}""".formatted(id);

        assertThat(send("PUT", "/Patient/" + id, patient, "If-Match", "W/\"1\"").statusCode())
                .isEqualTo(200);
        HttpResponse<String> late =
                send("PUT", "/Patient/" + id, patient.replace("true", "false"), "If-Match", "W/\"1\"");

        assertThat(late.statusCode()).isEqualTo(409);
        assertThat(json(late).path("resourceType").asText()).isEqualTo("OperationOutcome");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                """
                application/json-patch+json; [{"op": "replace", "path": "/active", "value": false}]""",
                """
                application/xml-patch+xml; <diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:active/@value">false</replace></diff>""",
                """
                application/fhir+json; {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [\
                {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Patient.active"}, \
                {"name": "value", "valueBoolean": false}]}]}"""
            })
    void patchesAResource(String type, String patch) throws Exception {
        String id = create();

        HttpResponse<String> patched = send("PATCH", "/Patient/" + id, patch, "Content-Type", type);

        assertThat(patched.statusCode()).as(patched.body()).isEqualTo(200);
        assertThat(header(patched, "Content-Location")).endsWith("/Patient/" + id + "/_history/2");
        assertThat(json(send("GET", "/Patient/" + id, null)).path("active").asBoolean(true))
                .isFalse();
    }

    @Test
    void appliesATransactionWholeOrNotAtAll() throws Exception {
        String known = identifier();
        create(known);
        String identifier = identifier();
        String bundle =
                """
                {"resourceType": "Bundle", "type": "transaction", "entry": [
                  {"resource": {"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": "%s"}]},
                   "request": {"method": "POST", "url": "Patient"}},
                  {"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
                                "subject": {"reference": "Patient?identifier=urn:test|%s"}},
                   "request": {"method": "POST", "url": "Observation"}}]}""";

        assertThat(send("POST", "", bundle.formatted(identifier, "unknown")).statusCode())
                .isEqualTo(404);
        assertThat(patients(identifier)).isZero();
        HttpResponse<String> answer = send("POST", "", bundle.formatted(identifier, known));

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(json(answer).findValuesAsText("status")).containsExactly("201 Created", "201 Created");
        assertThat(patients(identifier)).isEqualTo(1);
    }

    @Test
    void hasTheHistoryOfAResourceATypeAndTheServer() throws Exception {
        String id = create();
        send("DELETE", "/Patient/" + id, null);

        JsonNode history = json(send("GET", "/Patient/%s/_history".formatted(id), null));

        assertThat(history.findValuesAsText("method")).containsExactly("DELETE", "POST");
        assertThat(send("GET", "/Patient/" + id, null).statusCode()).isEqualTo(410);
        assertThat(send("GET", "/Patient/%s/_history/1".formatted(id), null).statusCode())
                .isEqualTo(200);
        for (String path : new String[] {"/Patient/_history", "/_history"}) {
            JsonNode newest = json(send("GET", path + "?_count=1", null));
            assertThat(newest.at("/entry/0/request/url").asText()).isEqualTo("Patient/%s/_history/2".formatted(id));
        }
    }

    @Test
    void pagesASearchWithItsOwnAddressAndAnyHost() throws Exception {
        String family = "Page" + identifier();
        String patient =
                """
                {"resourceType": "Patient", "name": [{"family": "%s"}]}""".formatted(family);
        for (int i = 0; i < 3; i++) {
            send("POST", "/Patient", patient);
        }

        JsonNode first = json(send(
                "POST",
                "/Patient/_search",
                "_count=2&family=" + family,
                "Content-Type",
                "application/x-www-form-urlencoded",
                "X-Forwarded-Host",
                "elsewhere.example"));
        String next = first.at("/link/1/url").asText();

        assertThat(first.at("/link/1/relation").asText()).isEqualTo("next");
        assertThat(next).startsWith(server.address() + "?_getpages=");
        assertThat(first.path("entry")).hasSize(2);
        assertThat(json(send("GET", path(next), null)).path("entry")).hasSize(1);
    }

    @Test
    void findsAPatientThatWasCreatedAfterTheSameSearch() throws Exception {
        String identifier = identifier();
        assertThat(patients(identifier)).isZero();

        create(identifier);

        assertThat(patients(identifier)).isEqualTo(1);
    }

    @Test
    void validatesAResource() throws Exception {
        HttpResponse<String> answer = send(
                "POST",
                "/Observation/$validate",
                """
                {"resourceType": "Observation", "code": {"text": "pulse"}}""");

        assertThat(answer.body()).contains("Observation.status: minimum required = 1");
    }

    @Test
    void readsAndWritesXml() throws Exception {
        HttpResponse<String> answer = send(
                "POST",
                "/Patient",
                """
                <Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>""",
                "Content-Type",
                "application/fhir+xml",
                "Accept",
                "application/fhir+xml");

        assertThat(answer.statusCode()).isEqualTo(201);
        assertThat(header(answer, "Content-Type")).isEqualTo("application/fhir+xml;charset=utf-8");
        assertThat(answer.body()).startsWith("<Patient xmlns=\"http://hl7.org/fhir\">");
    }

    @Test
    void answersAMistakeWithAnOutcomeWithoutAStack() throws Exception {
        HttpResponse<String> unreadable = send("POST", "/Patient", "{");
        HttpResponse<String> failing = send("GET", "/Patient?_filter=a", null);

        assertThat(unreadable.statusCode()).isEqualTo(400);
        assertThat(failing.statusCode()).isEqualTo(500);
        assertThat(unreadable.body() + failing.body())
                .contains("OperationOutcome")
                .doesNotContain("\tat ", ".java:");
    }

    @Test
    void refusesABodyBeyondTheLimit() throws Exception {
        String large = "{\"resourceType\": \"Patient\", \"language\": \"%s\"}".formatted("a".repeat(64 << 20));

        assertThat(send("POST", "/Patient", large).statusCode()).isEqualTo(413);
    }

    @Test
    void tellsItsCapabilities() throws Exception {
        JsonNode statement = json(send("GET", "/metadata", null));

        assertThat(statement.path("fhirVersion").asText()).isEqualTo("4.0.1");
        assertThat(statement.at("/implementation/url").asText()).isEqualTo(server.address());
    }

    @Test
    void keepsResourcesWhenItIsKilled() throws Exception {
        String id = create();

        server.kill();
        server.start();

        HttpResponse<String> read = send("GET", "/Patient/" + id, null);
        assertThat(read.statusCode()).isEqualTo(200);
        assertThat(header(read, "ETag")).isEqualTo("W/\"1\"");
    }

    @Test
    void recoversWhenTheDatabaseRestarts() throws Exception {
        String id = create();
        ServerProcess postgres = Servers.shared().postgres();

        postgres.kill();
        postgres.start();

        assertThat(send("GET", "/Patient/" + id, null).statusCode()).isEqualTo(200);
    }

    @Test
    void answersAgainAfterAPause() throws Exception {
        HttpRequest impatient =
                request("GET", "/metadata", null).timeout(Duration.ofSeconds(1)).build();

        server.suspend();
        try {
            assertThatThrownBy(() -> http.send(impatient, HttpResponse.BodyHandlers.discarding()))
                    .isInstanceOf(HttpTimeoutException.class);
        } finally {
            server.resume();
        }

        assertThat(send("GET", "/metadata", null).statusCode()).isEqualTo(200);
    }

    private String create() throws Exception {
        return create(identifier());
    }

    private String create(String identifier) throws Exception {
        HttpResponse<String> created = send(
                "POST",
                "/Patient",
                """
                {"resourceType": "Patient", "active": true, "identifier": [{"system": "urn:test", "value": "%s"}]}"""
                        .formatted(identifier));
        assertThat(created.statusCode()).isEqualTo(201);
        return json(created).path("id").asText();
    }

    private int patients(String identifier) throws Exception {
        return json(send("GET", "/Patient?identifier=urn:test%7C" + identifier, null))
                .path("total")
                .asInt(-1);
    }

    private static String identifier() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    private HttpResponse<String> send(String method, String path, String body, String... headers) throws Exception {
        return http.send(
                request(method, path, body, headers).build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    private static HttpRequest.Builder request(String method, String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.address() + path))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        request.setHeader("Content-Type", JSON);
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return request;
    }

    private static String path(String url) {
        assertThat(url).startsWith(server.address());
        return url.substring(server.address().length());
    }

    private static String header(HttpResponse<?> answer, String name) {
        return answer.headers().firstValue(name).orElse("");
    }

    private static JsonNode json(HttpResponse<String> answer) throws IOException {
        return MAPPER.readTree(answer.body());
    }
}
