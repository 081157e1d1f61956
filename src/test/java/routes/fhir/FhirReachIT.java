package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Sends searches and writes that reach other types than the one that they name, with the scopes for it and without. */
class FhirReachIT extends FhirIT {

    private static final String JSON = "application/fhir+json";

    private final String id = "reach-" + UUID.randomUUID().toString().substring(0, 13);

    /**
     * A search that reaches another type.
     *
     * @param needs the scopes that it needs beside those for its own type
     */
    record Reach(String target, String... needs) {

        @Override
        public String toString() {
            return target;
        }
    }

    static Stream<Reach> reaches() {
        return Stream.of(
                new Reach("Patient?_include=Patient:organization", "system/Organization.s"),
                new Reach("Patient?_include=Patient:general-practitioner:Practitioner", "system/Practitioner.s"),
                new Reach(
                        "Patient?_include=Patient:organization&_include:iterate=Organization:endpoint",
                        "system/Organization.s",
                        "system/Endpoint.s"),
                new Reach("Patient?_revinclude=Observation:subject", "system/Observation.s"),
                new Reach("Patient?language:below=http://a.example%7Cb", "system/CodeSystem.s"),
                new Reach("Patient?organization.name=a", "system/Organization.s"),
                new Reach("Patient?organization.endpoint.name=a", "system/Organization.s", "system/Endpoint.s"),
                new Reach("Patient?general-practitioner:Practitioner.name=a", "system/Practitioner.s"),
                new Reach("Patient?_has:Observation:subject:status=final", "system/Observation.s"),
                new Reach(
                        "Patient?_has:Observation:subject:_has:Provenance:target:recorded=2020",
                        "system/Observation.s",
                        "system/Provenance.s"),
                new Reach("Patient?_sort=Organization:organization.name", "system/Organization.s"),
                new Reach("Patient?%5Fincl%75de=Patient:organization", "system/Organization.s"),
                new Reach("Patient?_include=Patient%3Aorganization", "system/Organization.s"),
                new Reach("Patient?_list=1", "system/List.s"));
    }

    @ParameterizedTest
    @MethodSource("reaches")
    void searchesReachOnlyTypesThatTheTokenCovers(Reach reach) {
        for (String missing : reach.needs()) {
            String[] others = Stream.concat(
                            Stream.of("system/Patient.cruds"),
                            Stream.of(reach.needs()).filter(scope -> !scope.equals(missing)))
                    .toArray(String[]::new);
            for (boolean isForm : new boolean[] {false, true}) {
                HttpResponse<String> answer = search(reach.target(), isForm, others);

                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
                assertThat(json(answer.body()).at("/issue/0/diagnostics").asText())
                        .isEqualTo("the token has no scope " + missing);
            }
        }
        String[] all = Stream.concat(Stream.of("system/Patient.s"), Stream.of(reach.needs()))
                .toArray(String[]::new);
        assertThat(search(reach.target(), false, all).statusCode()).isNotIn(401, 403, 404, 503);
    }

    /** Writes that the server would resolve by a search for practitioners: type and body of {@code Basic/{id}-b}. */
    static Stream<Arguments> conditionalReferences() {
        String json = """
                {"resourceType": "Basic", "id": "{id}-b", "code": {"text": "a"}, %s}""";
        Stream<Arguments> updates = Stream.of(
                        "\"author\": {\"reference\": \"Practitioner?identifier=a\"}",
                        "\"author\": {\"reference\": \"Practitioner\\u003fidentifier=a\"}",
                        "\"author\": {\"reference\": \"practitioner?identifier=a\"}",
                        "\"author\": {\"reference\": \"http://evil.invalid/Practitioner?identifier=a\"}",
                        "\"extension\": [{\"url\": \"urn:a\", \"valueReference\": {\"reference\": \"Practitioner?identifier=a\"}}]",
                        "\"contained\": [{\"resourceType\": \"Basic\", \"author\": {\"reference\": \"Practitioner?identifier=a\"}}]")
                .map(part -> Arguments.of("PUT", JSON, json.formatted(part)));
        return Stream.concat(
                updates,
                Stream.of(
                        Arguments.of(
                                "PUT",
                                "application/fhir+xml",
                                "<Basic xmlns=\"http://hl7.org/fhir\"><id value=\"{id}-b\"/><author>"
                                        + "<reference value=\"Practitioner&#63;identifier=a\"/></author></Basic>"),
                        Arguments.of(
                                "PATCH",
                                "application/json-patch+json",
                                """
                            [{"op": "add", "path": "/author", "value": {"reference": "Practitioner?identifier=a"}}]"""),
                        Arguments.of(
                                "PATCH",
                                "application/xml-patch+xml",
                                "<diff><add sel=\"Basic\"><author><reference value=\"Practitioner?identifier=a\"/></author></add></diff>"),
                        Arguments.of(
                                "PATCH",
                                JSON,
                                """
                            {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [\
                            {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Basic"}, \
                            {"name": "name", "valueString": "author"}, \
                            {"name": "value", "valueReference": {"reference": "Practitioner?identifier=a"}}]}]}""")));
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("conditionalReferences")
    void conditionalReferencesNeedTheSearchOfTheirType(String method, String type, String body) {
        HttpResponse<String> answer = exchange(HttpRequest.newBuilder(URI.create(facade() + "/Basic/" + id + "-b"))
                .header("Authorization", token("system/Basic.cruds", "system/Practitioner.crud"))
                .header("Content-Type", type)
                .method(method, HttpRequest.BodyPublishers.ofString(body.replace("{id}", id))));

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(json(answer.body()).at("/issue/0/diagnostics").asText())
                .isEqualTo("the token has no scope system/Practitioner.s");
        assertThat(status("Basic/" + id + "-b")).isEqualTo(404);
    }

    private HttpResponse<String> search(String target, boolean isForm, String... scopes) {
        int mark = target.indexOf('?');
        HttpRequest.Builder request = isForm
                ? HttpRequest.newBuilder(URI.create(facade() + "/" + target.substring(0, mark) + "/_search"))
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(target.substring(mark + 1)))
                : HttpRequest.newBuilder(URI.create(facade() + "/" + target));
        return exchange(request.header("Authorization", token(scopes)));
    }

    private static int status(String path) {
        return exchange(HttpRequest.newBuilder(URI.create(server + "/" + path))).statusCode();
    }
}
