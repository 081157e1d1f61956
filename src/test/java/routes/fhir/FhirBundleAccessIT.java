package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import ca.uhn.fhir.context.FhirContext;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sends bundles of which one entry is forbidden: the facade says which, and nothing of the bundle happens on the
 * server. Closed requests have no effect either.
 */
class FhirBundleAccessIT extends FhirIT {

    private static final String JSON = "application/fhir+json";

    /** Everything for patients, and nothing for observations and practitioners. */
    private static final String[] SCOPES = {"system/Patient.cruds", "system/Basic.cu"};

    private final String id = "bundle-" + UUID.randomUUID().toString().substring(0, 13);

    /**
     * An entry that the token does not cover.
     *
     * @param missing scope; null when no scope opens it
     */
    record Forbidden(String name, String missing, String entry) {

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Forbidden> forbidden() {
        String observation =
                """
                {"resourceType": "Observation", "status": "final", "code": {"text": "a"}%s}""";
        String own = observation.formatted(", \"id\": \"{id}-o\"");
        String basic = """
                {"resourceType": "Basic", "code": {"text": "a"}%s}""";
        return Stream.of(
                new Forbidden("read", "system/Observation.r", entry("GET", "Observation/1", null)),
                new Forbidden("search", "system/Observation.s", entry("GET", "Observation?status=final", null)),
                new Forbidden("history", "system/Observation.s", entry("GET", "Observation/_history", null)),
                new Forbidden(
                        "create", "system/Observation.c", entry("POST", "Observation", observation.formatted(""))),
                new Forbidden("update", "system/Observation.u", entry("PUT", "Observation/{id}-o", own)),
                new Forbidden(
                        "conditional update",
                        "system/Observation.cus",
                        entry("PUT", "Observation?status=final", observation.formatted(""))),
                new Forbidden("delete", "system/Basic.d", entry("DELETE", "Basic/{id}-b", null)),
                new Forbidden("conditional delete", "system/Basic.ds", entry("DELETE", "Basic?code=a", null)),
                new Forbidden(
                        "patch",
                        "system/Observation.ru",
                        entry(
                                "PATCH",
                                "Observation/1",
                                """
                                {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "W3sib3AiOiJyZW1vdmUiLCJwYXRoIjoiL2NvZGUifV0="}""")),
                new Forbidden(
                        "conditional create",
                        "system/Basic.s",
                        """
                        {"resource": %s, "request": {"method": "POST", "url": "Basic", "ifNoneExist": "code=a"}}"""
                                .formatted(basic.formatted(""))),
                new Forbidden(
                        "conditional reference",
                        "system/Practitioner.s",
                        entry(
                                "PUT",
                                "Basic/{id}-b",
                                basic.formatted(
                                        ", \"id\": \"{id}-b\", \"author\": {\"reference\": \"Practitioner?identifier=a\"}"))),
                new Forbidden(
                        "include",
                        "system/Organization.s",
                        entry("GET", "Patient?_include=Patient:organization", null)),
                new Forbidden(
                        "subscription", null, entry("POST", "Subscription", "{\"resourceType\": \"Subscription\"}")),
                new Forbidden(
                        "search parameter",
                        "system/*.u",
                        entry(
                                "PUT",
                                "SearchParameter/{id}-s",
                                "{\"resourceType\": \"SearchParameter\", \"id\": \"{id}-s\"}")),
                new Forbidden(
                        "closed operation",
                        null,
                        entry("POST", "Patient/{id}/$expunge", "{\"resourceType\": \"Parameters\"}")),
                new Forbidden("closed operation by GET", null, entry("GET", "Patient/{id}/$everything", null)),
                new Forbidden("page of another search", null, entry("GET", "?_getpages=1", null)));
    }

    private static String entry(String method, String url, String resource) {
        return "{%s\"request\": {\"method\": \"%s\", \"url\": \"%s\"}}"
                .formatted(resource == null ? "" : "\"resource\": " + resource + ", ", method, url);
    }

    static Stream<Arguments> bundles() {
        return forbidden()
                .flatMap(forbidden ->
                        Stream.of(Arguments.of(forbidden, "transaction", 3), Arguments.of(forbidden, "batch", 1)));
    }

    @BeforeEach
    void createPatient() {
        assertThat(put(patient(id)).statusCode()).isEqualTo(201);
    }

    @ParameterizedTest(name = "{0} in a {1} at {2}")
    @MethodSource("bundles")
    void nothingOfABundleWithOneForbiddenEntryHappens(Forbidden forbidden, String type, int place) {
        List<String> entries = new ArrayList<>(List.of(
                entry("PUT", "Patient/{id}-a", patient("{id}-a")),
                entry("DELETE", "Patient/{id}", null),
                entry("POST", "Patient", patient("x").replace("\"id\": \"x\", ", ""))));
        entries.add(place, forbidden.entry());
        String correlation = id + "-visit";

        HttpResponse<String> answer = send(type, entries, correlation);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        String diagnostics = json(answer.body()).at("/issue/0/diagnostics").asText();
        assertThat(diagnostics).startsWith("Bundle.entry[" + place + "]: ");
        if (forbidden.missing() != null) {
            assertThat(diagnostics).endsWith("the token has no scope " + forbidden.missing());
        }
        assertThat(status("Patient/" + id)).as("deleted").isEqualTo(200);
        assertThat(status("Patient/" + id + "-a")).as("updated").isEqualTo(404);
        assertThat(status("Basic/" + id + "-b")).as("the forbidden").isEqualTo(404);
        assertThat(status("Observation/" + id + "-o")).as("the forbidden").isEqualTo(404);
        assertThat(status("SearchParameter/" + id + "-s")).as("the forbidden").isEqualTo(404);
        assertThat(count("Patient?family=" + id)).as("created").isEqualTo(1);
        assertThat(jdbc.sql("select count(*) from fhir_intent where correlation_id = ?")
                        .param(correlation)
                        .query(Integer.class)
                        .single())
                .as("intents")
                .isZero();
    }

    @Test
    void allOfABundleHappensWhenEachEntryIsCovered() {
        HttpResponse<String> answer = send(
                "transaction",
                List.of(
                        entry("PUT", "Patient/{id}-a", patient("{id}-a")),
                        entry("POST", "Basic", "{\"resourceType\": \"Basic\", \"code\": {\"text\": \"a\"}}"),
                        entry("GET", "Patient?family={id}", null)),
                id + "-visit");

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(status("Patient/" + id + "-a")).isEqualTo(200);
    }

    static Stream<String> closed() {
        return Stream.of(
                "GET Subscription",
                "GET Subscription/1",
                "GET Subscription/_history",
                "POST Subscription",
                "PUT Subscription/1",
                "DELETE Subscription/1",
                "GET Patient?_include=Patient:organization:Subscription",
                "GET Patient?_revinclude=Subscription:criteria",
                "GET Patient?_include=*",
                "GET Patient?_revinclude=*",
                "GET Provenance?_include=Provenance:target",
                "GET Provenance?target.url=a",
                "GET Patient?_in=Group/1",
                "GET Patient?_contained=true",
                "GET _history",
                "GET Patient/{id}/*",
                "GET ?_type=Patient&name=a",
                "POST _search",
                "GET Patient?_filter=name eq a",
                "GET Patient?_query=a",
                "DELETE Patient?_id=1&_expunge=true",
                "DELETE Patient/1?_cascade=delete",
                "GET Patient?_getpages=1",
                "GET Patient/{id}/$everything",
                "GET Patient/$everything",
                "POST $expunge",
                "POST Patient/$expunge",
                "POST Patient/{id}/$expunge",
                "POST Patient/{id}/$meta-add",
                "POST Patient/{id}/$meta-delete",
                "GET $meta",
                "GET Patient/$meta",
                "GET Patient/{id}/$meta",
                "POST $reindex",
                "POST $mark-all-resources-for-reindexing",
                "POST $perform-reindexing-pass",
                "GET $get-resource-counts",
                "POST $hapi.fhir.replace-references",
                "POST $export",
                "POST $graphql",
                "GET Patient/{id}/$diff",
                "POST $process-message",
                "POST Patient/$Validate",
                "POST $trigger-subscription");
    }

    @ParameterizedTest
    @MethodSource("closed")
    void isClosedToEveryScope(String line) {
        String method = line.substring(0, line.indexOf(' '));
        String target =
                line.substring(line.indexOf(' ') + 1).replace("{id}", id).replace(" ", "%20");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(facade() + "/" + target))
                .header("Authorization", token(ALL, "tenants.all"));
        boolean hasBody = method.equals("POST") || method.equals("PUT");
        if (hasBody) {
            request.header("Content-Type", target.equals("_search") ? "application/x-www-form-urlencoded" : JSON);
        }

        HttpResponse<String> answer = exchange(request.method(
                method,
                hasBody
                        ? HttpRequest.BodyPublishers.ofString("{\"resourceType\": \"Parameters\"}")
                        : HttpRequest.BodyPublishers.noBody()));

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(json(answer.body()).path("resourceType").asText()).isEqualTo("OperationOutcome");
        assertThat(count("Patient/" + id + "/_history")).as("versions").isEqualTo(1);
    }

    /** Sends a transaction in JSON, and a batch in XML. */
    private HttpResponse<String> send(String type, List<String> entries, String correlation) {
        String bundle = """
                {"resourceType": "Bundle", "type": "%s", "entry": [%s]}"""
                .formatted(type, String.join(",", entries).replace("{id}", id));
        boolean isXml = type.equals("batch");
        return exchange(HttpRequest.newBuilder(facade())
                .header("Authorization", token(SCOPES))
                .header("X-Correlation-Id", correlation)
                .header("Content-Type", isXml ? "application/fhir+xml" : JSON)
                .POST(HttpRequest.BodyPublishers.ofString(isXml ? xml(bundle) : bundle)));
    }

    private static String xml(String bundle) {
        FhirContext fhir = FhirContext.forR4Cached();
        return fhir.newXmlParser().encodeResourceToString(fhir.newJsonParser().parseResource(bundle));
    }

    private String patient(String patient) {
        return """
                {"resourceType": "Patient", "id": "%s", "name": [{"family": "%s"}]}"""
                .formatted(patient, id);
    }

    private HttpResponse<String> put(String patient) {
        return exchange(HttpRequest.newBuilder(URI.create(server + "/Patient/" + id))
                .header("Content-Type", JSON)
                .PUT(HttpRequest.BodyPublishers.ofString(patient)));
    }

    private static int status(String path) {
        return exchange(HttpRequest.newBuilder(URI.create(server + "/" + path))).statusCode();
    }

    private static int count(String path) {
        return json(exchange(HttpRequest.newBuilder(URI.create(server + "/" + path))
                                .header("Cache-Control", "no-cache"))
                        .body())
                .path("entry")
                .size();
    }
}
