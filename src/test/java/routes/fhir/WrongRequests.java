package routes.fhir;

import static routes.fhir.WrongRequest.SECRET;

import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import routes.ForgedTokens;
import routes.fhir.WrongRequest.Origin;

/** One request for each error of the facade, and for each error of a FHIR server. */
final class WrongRequests {

    /** Begins the ids of the patients that the requests need. */
    static final String RUN = "wrong-" + UUID.randomUUID().toString().substring(0, 8);

    /** Exists in version 1. */
    static final String PRESENT = RUN + "-present";

    /** Was deleted. */
    static final String DELETED = RUN + "-deleted";

    /** The value of an identifier that two patients have. */
    static final String TWICE = RUN + "-twice";

    private static final String PATIENT =
            """
            {"resourceType": "Patient", "name": [{"family": "%s"}]}""".formatted(SECRET);

    private static final String FORM = "application/x-www-form-urlencoded";

    private static final String BUNDLE = """
            {"resourceType": "Bundle", "type": "%s", "entry": [%s]}""";

    private WrongRequests() {}

    private static WrongRequest facade(int status, String name, String line) {
        return WrongRequest.of(status, name, line);
    }

    private static WrongRequest server(int status, String name, String line) {
        return WrongRequest.of(status, name, line).from(Origin.SERVER);
    }

    static Stream<WrongRequest> malformed() {
        return Stream.of(
                facade(400, "malformed JSON", "POST /fhir/Patient")
                        .withJson("{\"resourceType\": \"Patient\", \"" + SECRET),
                facade(400, "a key twice", "POST /fhir/Patient")
                        .withJson("{\"%1$s\": 1, \"%1$s\": 2}".formatted(SECRET)),
                facade(400, "malformed XML", "POST /fhir/Patient")
                        .withXml("<Patient xmlns=\"http://hl7.org/fhir\"><" + SECRET),
                facade(400, "a document type", "POST /fhir/Patient")
                        .withXml("<!DOCTYPE " + SECRET + "><Patient xmlns=\"http://hl7.org/fhir\"/>"),
                facade(400, "no resource", "POST /fhir/Patient").withJson("{}"),
                facade(400, "no body", "POST /fhir/Patient"),
                facade(400, "another type than the URL's", "POST /fhir/Basic").withJson(PATIENT),
                facade(400, "another id than the URL's", "PUT /fhir/Patient/" + RUN)
                        .withJson(PATIENT.replace("\"name\"", "\"id\": \"" + SECRET + "\", \"name\"")),
                facade(400, "a malformed query", "GET /fhir/Patient?name=" + SECRET + "%zz"),
                facade(400, "a malformed form", "POST /fhir/Patient/_search")
                        .with("Content-Type", FORM)
                        .with("name=" + SECRET + "%zz"),
                facade(400, "a delete of everything", "DELETE /fhir/Patient"),
                facade(400, "a malformed condition", "POST /fhir/Patient")
                        .withJson(PATIENT)
                        .with("If-None-Exist", SECRET + "%zz"),
                facade(400, "a malformed patch", "PATCH /fhir/Patient/" + PRESENT)
                        .with("Content-Type", "application/json-patch+json")
                        .with("[{\"op\": \"" + SECRET),
                facade(400, "a bundle of another type", "POST /fhir").withJson(BUNDLE.formatted("collection", "")),
                facade(400, "an entry without a request", "POST /fhir")
                        .withJson(BUNDLE.formatted("batch", "{\"resource\": " + PATIENT + "}")),
                facade(400, "an entry for an unknown type", "POST /fhir")
                        .withJson(BUNDLE.formatted(
                                "batch", "{\"request\": {\"method\": \"GET\", \"url\": \"" + SECRET + "/1\"}}")),
                facade(400, "a malformed correlation id", "GET /fhir/Patient/1")
                        .with("X-Correlation-Id", SECRET + " " + SECRET));
    }

    /** Heads that Tomcat refuses before anybody else sees them. */
    static Stream<WrongRequest> heads() {
        return Stream.of(
                        facade(400, "a target that is no URI", "GET /fhir/Patient/<" + SECRET + ">"),
                        facade(400, "a query that is no URI", "GET /fhir/Patient?name=<" + SECRET + ">"),
                        facade(400, "a path that leaves the root", "GET /fhir/../../" + SECRET),
                        facade(400, "NUL in the path", "GET /fhir/Patient/%00" + SECRET),
                        facade(400, "a path that is not UTF-8", "GET /fhir/Patient/%c0%ae" + SECRET),
                        facade(400, "a target without an end", "GET /fhir/Patient?name=" + SECRET.repeat(4000)),
                        facade(400, "a header without an end", "GET /fhir/Patient/1")
                                .with("X-A", SECRET.repeat(4000)),
                        facade(400, "a header with a malformed name", "GET /fhir/Patient/1")
                                .with("X(" + SECRET, "1"),
                        facade(400, "two lengths", "GET /fhir/Patient/1").with("Content-Length", "1, 2"),
                        facade(501, "an unknown coding", "POST /fhir/Patient").with("Transfer-Encoding", SECRET),
                        facade(501, "a tunnel", "CONNECT /fhir/Patient"),
                        facade(505, "an unknown version", "GET /fhir/Patient/1").inVersion("HTTP/7.7"))
                .map(request -> request.from(Origin.HEAD));
    }

    static Stream<WrongRequest> callers() {
        String expired = ForgedTokens.all().stream()
                .filter(forgery -> forgery.what().equals("expired"))
                .map(forgery -> "Bearer " + forgery.token().apply(List.of(FhirIT.ALL)))
                .findFirst()
                .orElseThrow();
        return Stream.of(
                facade(401, "no token", "GET /fhir/Patient/" + SECRET).as(""),
                facade(401, "a malformed token", "POST /fhir")
                        .as("Bearer " + SECRET)
                        .withJson(PATIENT),
                facade(401, "an expired token", "GET /fhir/Patient/" + SECRET).as(expired),
                facade(401, "a password", "GET /fhir/Patient/" + SECRET).as("Basic " + SECRET),
                facade(403, "a missing scope", "GET /fhir/Patient/" + SECRET).as(FhirIT.token("system/Basic.cruds")),
                facade(403, "a missing scope for an entry", "POST /fhir")
                        .as(FhirIT.token("system/Basic.cruds"))
                        .withJson(BUNDLE.formatted(
                                "batch",
                                "{\"resource\": " + PATIENT
                                        + ", \"request\": {\"method\": \"POST\", \"url\": \"Patient\"}}")),
                facade(403, "a closed operation", "POST /fhir/Patient/" + PRESENT + "/$expunge"),
                facade(403, "a closed type", "GET /fhir/Subscription?criteria=" + SECRET),
                facade(403, "a search of all types", "GET /fhir?_id=" + SECRET),
                facade(403, "a preflight", "OPTIONS /fhir/Patient")
                        .with("Origin", "https://" + SECRET + ".example")
                        .with("Access-Control-Request-Method", "GET"),
                facade(404, "a tenant without a server", "GET /fhir/Patient/" + PRESENT)
                        .as(FhirIT.tokenOf("ann", "nobody", FhirIT.ALL)),
                facade(404, "a page of nobody", "GET /fhir?_getpages=" + SECRET));
    }

    static Stream<WrongRequest> unacceptable() {
        return Stream.of(
                facade(404, "an unknown type", "GET /fhir/" + SECRET + "/1"),
                facade(404, "an unknown path", "GET /fhir/Patient/1/" + SECRET + "/2"),
                facade(404, "two slashes", "GET /fhir//Patient/" + SECRET),
                facade(404, "an encoded slash", "GET /fhir/Patient%2F" + SECRET),
                facade(404, "an encoded spelling of the facade", "GET /%66hir//Patient/" + SECRET),
                facade(404, "a path parameter", "GET /fhir/Patient;a=" + SECRET),
                facade(405, "an unknown method", "FOO /fhir/Patient/" + SECRET),
                facade(405, "an echo", "TRACE /fhir/Patient/" + SECRET),
                facade(405, "a create with an id", "POST /fhir/Patient/" + SECRET)
                        .withJson(PATIENT),
                facade(405, "a delete of metadata", "DELETE /fhir/metadata"),
                facade(413, "too many bytes", "POST /fhir/Patient")
                        .withJson("{\"resourceType\": \"Patient\", \"x\": \"" + SECRET.repeat(200_000) + "\"}"),
                facade(413, "too many bytes in chunks", "POST /fhir/Patient")
                        .with("Content-Type", "application/fhir+json")
                        .with("Transfer-Encoding", "chunked")
                        .with("200000\r\n" + " ".repeat(0x200000) + "\r\n0\r\n\r\n"),
                facade(413, "too many levels", "POST /fhir/Patient").withJson(("{\"" + SECRET + "\": ").repeat(101)),
                facade(413, "a number too long", "POST /fhir/Patient")
                        .withJson("{\"resourceType\": \"Patient\", \"" + SECRET + "\": 1e99999}"),
                facade(413, "too many parameters", "GET /fhir/Patient?" + "a&".repeat(1001) + SECRET),
                facade(415, "plain text", "POST /fhir/Patient")
                        .with("Content-Type", "text/" + SECRET)
                        .with(PATIENT),
                facade(415, "a form that is no search", "POST /fhir/Patient")
                        .with("Content-Type", FORM)
                        .with("a=" + SECRET),
                facade(415, "another charset", "POST /fhir/Patient")
                        .with("Content-Type", "application/fhir+json; charset=utf-16")
                        .with(PATIENT),
                facade(415, "a compressed body", "POST /fhir/Patient")
                        .with("Content-Encoding", "gzip")
                        .withJson(PATIENT));
    }

    /** The errors of a real server. */
    static Stream<WrongRequest> ofTheServer() {
        return Stream.of(
                server(400, "an element that does not exist", "POST /fhir/Patient")
                        .withJson("{\"resourceType\": \"Patient\", \"gender\": \"nothing\"}"),
                server(400, "an unknown search parameter", "GET /fhir/Patient?nothing=1")
                        .with("Prefer", "handling=strict"),
                server(404, "an unknown resource", "GET /fhir/Patient/" + RUN + "-none"),
                server(404, "an unknown version", "GET /fhir/Patient/" + PRESENT + "/_history/9"),
                server(404, "a patch of an unknown resource", "PATCH /fhir/Patient/" + RUN + "-none")
                        .with("Content-Type", "application/json-patch+json")
                        .with("[{\"op\": \"remove\", \"path\": \"/name\"}]"),
                server(409, "a version that another update has passed", "PUT /fhir/Patient/" + PRESENT)
                        .with("If-Match", "W/\"7\"")
                        .withJson(PATIENT.replace("\"name\"", "\"id\": \"" + PRESENT + "\", \"name\"")),
                server(410, "a deleted resource", "GET /fhir/Patient/" + DELETED),
                server(412, "two that match", "PUT /fhir/Patient?identifier=" + TWICE)
                        .withJson(PATIENT),
                server(412, "two that match a create", "POST /fhir/Patient")
                        .with("If-None-Exist", "identifier=" + TWICE)
                        .withJson(PATIENT),
                server(422, "an incomplete resource", "POST /fhir/SearchParameter")
                        .withJson("{\"resourceType\": \"SearchParameter\"}"));
    }

    /** The errors of a server that a script plays, which answers each id in its own way. */
    static Stream<WrongRequest> ofTheScript() {
        return Stream.concat(
                        Stream.of(400, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 501, 503, 504)
                                .map(status -> server(status, "of the script", "GET /fhir/Patient/outcome-" + status)),
                        Stream.of(
                                facade(404, "an error without a reason", "GET /fhir/Patient/bare-404"),
                                facade(503, "a failure without a reason", "GET /fhir/Patient/bare-500"),
                                facade(503, "credentials that the server refuses", "GET /fhir/Patient/outcome-401"),
                                facade(503, "a page of HTML", "GET /fhir/Patient/html"),
                                facade(503, "a redirection", "GET /fhir/Patient/redirection"),
                                facade(503, "no HTTP", "GET /fhir/Patient/rubbish"),
                                facade(503, "half an answer", "GET /fhir/Patient/half"),
                                facade(503, "no answer to a write", "PUT /fhir/Patient/half")
                                        .withJson(PATIENT)))
                .map(request -> request.as(FhirIT.tokenOf("ann-" + request, "scripted", FhirIT.ALL)));
    }
}
