package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import routes.RawHttp;

/** Refuses requests that tell of a patient, and says where they are wrong without a word of them. */
class FhirCanaryIT extends FailingFhirServer {

    private static final String NAME = Canary.NAME;
    private static final String FORM = "application/x-www-form-urlencoded";
    private static final String BUNDLE =
            """
            {"resourceType": "Bundle", "type": "transaction", "entry": [%s]}""";

    /**
     * A request that is refused.
     *
     * @param headers names and values in turn
     */
    record Refused(
            int status,
            String name,
            String tenant,
            String scope,
            String method,
            String path,
            byte[] body,
            String... headers) {

        Refused of(String otherScope) {
            return new Refused(status, name, tenant, otherScope, method, path, body, headers);
        }

        Refused ofTenant(String other) {
            return new Refused(status, name, other, scope, method, path, body, headers);
        }

        @Override
        public String toString() {
            return status + " " + name;
        }
    }

    static Stream<Refused> ofJson() {
        return Stream.of(
                json(
                        400,
                        "JSON without an end",
                        "PUT",
                        "Patient/p",
                        Canary.patient("p").replace("]}", "]")),
                json(400, "a key twice", "PUT", "Patient/p", "{\"%1$s\": 1, \"%1$s\": 2}".formatted(NAME)),
                json(400, "an unknown type", "PUT", "Patient/p", "{\"resourceType\": \"%s\"}".formatted(NAME)),
                json(400, "another type", "POST", "Basic", Canary.patient("p")),
                json(400, "another id", "PUT", "Patient/p", Canary.patient(Canary.IDENTIFIER)),
                json(400, "bytes that are no UTF-8", "PUT", "Patient/p", "{\"%s\": \"\u00e9\"}".formatted(NAME)),
                json(413, "too many levels", "PUT", "Patient/p", ("{\"" + NAME + "\": ").repeat(1000)),
                json(413, "too many bytes", "PUT", "Patient/p", "\"" + NAME.repeat(100_000) + "\""),
                json(400, "a condition on a create", "POST", "Patient?name=" + NAME, Canary.patient("p")),
                json(400, "an entry with an unknown method", "POST", "", entry(NAME, "Patient")),
                json(400, "an entry with an unknown path", "POST", "", entry("POST", NAME + "/1")),
                json(400, "an entry with a broken query", "POST", "", entry("PUT", "Patient?name=" + NAME + "%zz")),
                json(400, "an entry with a host", "POST", "", entry("PUT", "http://" + NAME + ".example/Patient/1")),
                json(
                        400,
                        "an entry with a link to itself",
                        "POST",
                        "",
                        entry("POST", "Patient/" + NAME)
                                .replace("{\"resource\"", "{\"fullUrl\": \"" + NAME + "\", \"resource\"")),
                json(
                        400,
                        "an unknown kind of bundle",
                        "POST",
                        "",
                        entry("POST", "Patient").replace("transaction", NAME)),
                json(403, "an entry with an operation", "POST", "", entry("POST", "Patient/1/$" + NAME)),
                json(
                        400,
                        "a patch without an end",
                        "PATCH",
                        "Patient/p",
                        "[{\"op\": \"" + NAME,
                        "Content-Type",
                        "application/json-patch+json"));
    }

    static Stream<Refused> ofXml() {
        String entity = "<!DOCTYPE a [<!ENTITY e \"" + NAME + "\">]>";
        return Stream.of(
                xml(
                        400,
                        "XML without an end",
                        "PUT",
                        "Patient/p",
                        Canary.patientInXml("p").replace("</Patient>", "")),
                xml(400, "a document type", "PUT", "Patient/p", entity + Canary.patientInXml("p")),
                xml(
                        400,
                        "an external entity",
                        "PUT",
                        "Patient/p",
                        "<!DOCTYPE a SYSTEM \"http://" + NAME + ".example/\">" + Canary.patientInXml("p")),
                xml(
                        400,
                        "an unknown entity",
                        "PUT",
                        "Patient/p",
                        Canary.patientInXml("p").replace(" 7", "&" + NAME + ";")),
                xml(
                        400,
                        "another namespace",
                        "PUT",
                        "Patient/p",
                        "<Patient xmlns=\"urn:" + NAME + "\"><id value=\"p\"/></Patient>"),
                xml(400, "another id", "PUT", "Patient/p", Canary.patientInXml(Canary.IDENTIFIER)),
                xml(
                        413,
                        "too many levels",
                        "PUT",
                        "Patient/p",
                        "<Patient xmlns=\"http://hl7.org/fhir\">" + "<a>".repeat(1000) + NAME),
                xml(
                        400,
                        "a patch without an end",
                        "PATCH",
                        "Patient/p",
                        "<diff><replace sel=\"" + NAME,
                        "Content-Type",
                        "application/xml-patch+xml"));
    }

    static Stream<Refused> ofUrls() {
        return Stream.of(
                get(404, "an unknown type", NAME),
                get(404, "an unknown path", "Patient/1/" + NAME),
                get(404, "an unknown version", "Patient/1/_history/" + NAME + "%20"),
                get(400, "a broken path", "Patient/" + NAME + "%zz"),
                get(404, "a tenant without a server", "Patient/1?name=" + NAME).ofTenant("nobody"),
                get(403, "a scope of an unknown type", "Patient/1").of("system/" + NAME + ".r"),
                get(403, "a scope with a query", "Patient/1").of("system/Patient.r?name=" + NAME),
                get(403, "a closed operation", "Patient/1/$" + NAME),
                get(403, "a search of all types", "?name=" + NAME),
                get(400, "a broken query", "Patient?name=" + NAME + "%zz"),
                get(404, "a made-up page", "?_getpages=" + NAME),
                get(404, "a page of another caller", "?_getpages=0-0.sPatient.abc&name=" + NAME),
                form(400, "a broken form", "Patient/_search", "family=" + NAME + "%zz"),
                form(415, "a form that is no search", "Patient", "family=" + NAME));
    }

    static Stream<Refused> ofHeaders() {
        return Stream.of(
                json(
                        400,
                        "a broken condition",
                        "POST",
                        "Patient",
                        Canary.patient("p"),
                        "If-None-Exist",
                        "name=" + NAME + "%zz"),
                json(
                        400,
                        "a condition of another type",
                        "POST",
                        "Patient",
                        Canary.patient("p"),
                        "If-None-Exist",
                        NAME + "?name=1"),
                json(
                        400,
                        "a condition on an update",
                        "PUT",
                        "Patient/p",
                        Canary.patient("p"),
                        "If-None-Exist",
                        "name=" + NAME),
                json(
                        400,
                        "two conditions",
                        "POST",
                        "Patient",
                        Canary.patient("p"),
                        "If-None-Exist",
                        "name=" + NAME,
                        "If-None-Exist",
                        "name=1"),
                json(400, "two versions", "PUT", "Patient/p", Canary.patient("p"), "If-Match", NAME, "If-Match", "1"),
                json(415, "an unknown content type", "PUT", "Patient/p", "{}", "Content-Type", "application/" + NAME),
                json(415, "a malformed content type", "PUT", "Patient/p", "{}", "Content-Type", NAME),
                json(
                        415,
                        "an unknown charset",
                        "PUT",
                        "Patient/p",
                        "{}",
                        "Content-Type",
                        FHIR_JSON + ";charset=" + NAME),
                json(415, "an unknown encoding", "PUT", "Patient/p", "{}", "Content-Encoding", NAME),
                json(
                        400,
                        "a malformed correlation id",
                        "PUT",
                        "Patient/p",
                        Canary.patient("p"),
                        "X-Correlation-Id",
                        NAME + "\u00e9"),
                json(
                        401,
                        "a broken token",
                        "PUT",
                        "Patient/p",
                        Canary.patient("p"),
                        "Authorization",
                        "Bearer " + NAME));
    }

    static Stream<Refused> ofScopes() {
        String reference = "{\"resourceType\": \"Observation\", \"subject\": {\"reference\": \"Patient?name=%s\"}}";
        return Stream.of(
                        json(403, "a write without its scope", "PUT", "Patient/p", Canary.patient("p")),
                        json(403, "an entry without its scope", "POST", "", entry("POST", "Patient")),
                        json(403, "a reference without its scope", "POST", "Observation", reference.formatted(NAME)),
                        get(403, "a search without its scope", "Patient?name=" + NAME),
                        get(403, "a reverse chain of an unknown type", "Basic?_has:" + NAME + ":patient:_id=1"),
                        get(403, "an include of an unknown type", "Basic?_include=" + NAME + ":subject"))
                .map(refused -> refused.of("system/Basic.cruds system/Observation.c"));
    }

    @ParameterizedTest
    @MethodSource({"ofJson", "ofXml", "ofUrls", "ofHeaders", "ofScopes"})
    void repeatsNothingOf(Refused refused) throws IOException {
        requireOutcome(send(refused, "Accept", FHIR_JSON), refused.status());

        RawHttp.Answer inXml = send(refused, "Accept", FHIR_XML);
        assertThat(inXml.status()).as(inXml.body()).isEqualTo(refused.status());
        assertThat(inXml.head()).contains("\r\nX-Correlation-Id: ", "\r\nContent-Type: " + FHIR_XML);
        assertThat(inXml.body()).contains("<OperationOutcome").doesNotContain(DOUBLE.url(), "Exception");
        Canary.requireNoneIn("the answer in XML", inXml.head() + inXml.body());
    }

    private RawHttp.Answer send(Refused refused, String... more) throws IOException {
        StringBuilder headers = new StringBuilder("Host: localhost\r\nConnection: close\r\nContent-Length: ")
                .append(refused.body().length)
                .append("\r\n");
        List<String> sent = new ArrayList<>(List.of(refused.headers()));
        sent.addAll(List.of(more));
        if (!sent.contains("Authorization")) {
            sent.addAll(List.of("Authorization", authorization(refused.tenant(), refused.scope())));
        }
        for (int i = 0; i < sent.size(); i += 2) {
            headers.append(sent.get(i)).append(": ").append(sent.get(i + 1)).append("\r\n");
        }
        return RawHttp.send(
                uri("").getPort(),
                RawHttp.request(refused.method() + " /fhir/" + refused.path(), headers.toString(), refused.body()));
    }

    private static String entry(String method, String url) {
        return BUNDLE.formatted("""
                {"resource": %s, "request": {"method": "%s", "url": "%s"}}"""
                .formatted(Canary.patient("p"), method, url));
    }

    private static Refused json(int status, String name, String method, String path, String body, String... headers) {
        return new Refused(
                status,
                name + " in JSON",
                "broken",
                ALL,
                method,
                path,
                body.getBytes(StandardCharsets.ISO_8859_1),
                withType(FHIR_JSON, headers));
    }

    private static Refused xml(int status, String name, String method, String path, String body, String... headers) {
        return new Refused(
                status, name + " in XML", "broken", ALL, method, path, bytes(body), withType(FHIR_XML, headers));
    }

    private static Refused form(int status, String name, String path, String body) {
        return new Refused(status, name, "broken", ALL, "POST", path, bytes(body), "Content-Type", FORM);
    }

    private static Refused get(int status, String name, String path) {
        return new Refused(status, name, "broken", ALL, "GET", path, new byte[0]);
    }

    private static String[] withType(String type, String... headers) {
        return Stream.of(headers).anyMatch("Content-Type"::equals)
                ? headers
                : Stream.concat(Stream.of("Content-Type", type), Stream.of(headers))
                        .toArray(String[]::new);
    }
}
