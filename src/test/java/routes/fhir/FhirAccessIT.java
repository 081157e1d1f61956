package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.ForgedTokens;

/**
 * Sends each interaction of FHIR without a token, with invalid ones, with every scope that does not cover it, and with
 * those that do. What is refused changes nothing on the server.
 */
class FhirAccessIT extends FhirIT {

    private static final String JSON = "application/fhir+json";
    private static final String PATCH = """
            [{"op": "replace", "path": "/active", "value": false}]""";

    private final String id = "access-" + UUID.randomUUID().toString().substring(0, 13);

    /**
     * An interaction.
     *
     * @param letters the permissions that it needs for patients
     * @param target below the facade; {@code {id}} is the patient
     * @param body null for none, a letter for a patient
     * @param headers names and values in turn
     */
    record Interaction(
            String name, String letters, String method, String target, String type, String body, String... headers) {

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Interaction> interactions() {
        String patient =
                """
                {"resourceType": "Patient", "identifier": [{"value": "{id}"}], "active": false}""";
        String own = patient.replace("\"identifier\"", "\"id\": \"{id}\", \"identifier\"");
        String condition = "Patient?identifier={id}";
        return Stream.of(
                new Interaction("read", "r", "GET", "Patient/{id}", null, null),
                new Interaction("head", "r", "HEAD", "Patient/{id}", null, null),
                new Interaction("vread", "r", "GET", "Patient/{id}/_history/1", null, null),
                new Interaction("history", "r", "GET", "Patient/{id}/_history", null, null),
                new Interaction("history of the type", "s", "GET", "Patient/_history?_count=1", null, null),
                new Interaction("search", "s", "GET", condition, null, null),
                new Interaction("count", "s", "GET", condition + "&_summary=count", null, null),
                new Interaction(
                        "search by form",
                        "s",
                        "POST",
                        "Patient/_search",
                        "application/x-www-form-urlencoded",
                        "identifier={id}"),
                new Interaction("validate", "r", "POST", "Patient/$validate", JSON, patient),
                new Interaction("create", "c", "POST", "Patient", JSON, patient),
                new Interaction(
                        "conditional create",
                        "cs",
                        "POST",
                        "Patient",
                        JSON,
                        patient,
                        "If-None-Exist",
                        "identifier={id}"),
                new Interaction("update", "u", "PUT", "Patient/{id}", JSON, own),
                new Interaction(
                        "update of a new id",
                        "u",
                        "PUT",
                        "Patient/{id}-new",
                        JSON,
                        own.replace("\"id\": \"{id}\", ", "")
                                .replace("\"Patient\"", "\"Patient\", \"id\": \"{id}-new\"")),
                new Interaction("conditional update", "cus", "PUT", condition, JSON, patient),
                new Interaction("patch", "ru", "PATCH", "Patient/{id}", "application/json-patch+json", PATCH),
                new Interaction("conditional patch", "rus", "PATCH", condition, "application/json-patch+json", PATCH),
                new Interaction("delete", "d", "DELETE", "Patient/{id}", null, null),
                new Interaction("conditional delete", "ds", "DELETE", condition, null, null));
    }

    static Stream<Interaction> wholeServer() {
        return Stream.of(new Interaction("history of the server", "s", "GET", "_history?_count=1", null, null));
    }

    @BeforeEach
    void createPatient() {
        HttpResponse<String> created = exchange(HttpRequest.newBuilder(atServer("Patient/" + id))
                .header("Content-Type", JSON)
                .PUT(HttpRequest.BodyPublishers.ofString(
                        """
                        {"resourceType": "Patient", "id": "%1$s", "active": true, "identifier": [{"value": "%1$s"}]}"""
                                .formatted(id))));
        assertThat(created.statusCode()).isEqualTo(201);
    }

    @ParameterizedTest
    @MethodSource({"interactions", "wholeServer"})
    void requiresAToken(Interaction interaction) {
        Map<String, String> before = versions();

        HttpResponse<String> answer = send(interaction, null);

        requireOutcome(answer, 401, "a bearer token is required", interaction);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer");
        assertThat(versions()).isEqualTo(before);
    }

    static List<ForgedTokens.Forgery> forged() {
        return ForgedTokens.all();
    }

    @ParameterizedTest(name = "a token {0}")
    @MethodSource("forged")
    void rejectsAnInvalidToken(ForgedTokens.Forgery forgery) {
        Map<String, String> before = versions();
        some("read", "create", "delete").forEach(interaction -> {
            HttpResponse<String> answer =
                    send(interaction, "Bearer " + forgery.token().apply(List.of(ALL)));

            requireOutcome(answer, 401, "the bearer token is not valid", interaction);
            assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer error=\"invalid_token\"");
        });
        assertThat(versions()).isEqualTo(before);
    }

    private static Stream<Interaction> some(String... names) {
        return interactions().filter(one -> List.of(names).contains(one.name()));
    }

    @ParameterizedTest
    @MethodSource("interactions")
    void rejectsATokenWithoutOneOfTheLetters(Interaction interaction) {
        Map<String, String> before = versions();
        interaction
                .letters()
                .chars()
                .mapToObj(letter -> String.valueOf((char) letter))
                .forEach(letter -> {
                    String others = "cruds".replace(letter, "");

                    HttpResponse<String> answer = send(
                            interaction, token("system/Patient." + others, "system/*." + others, "system/Basic.cruds"));

                    requireForbidden(answer, "system/Patient." + letter, interaction);
                });
        assertThat(versions()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource("interactions")
    void letsATokenWithExactlyTheLettersIn(Interaction interaction) {
        requireDone(interaction, send(interaction, token("system/Patient." + interaction.letters())));
    }

    @ParameterizedTest
    @MethodSource("interactions")
    void letsATokenWithTheLettersForAllTypesIn(Interaction interaction) {
        requireDone(interaction, send(interaction, token("system/*." + interaction.letters())));
    }

    @ParameterizedTest
    @MethodSource("interactions")
    void addsTheLettersOfSeveralScopes(Interaction interaction) {
        String[] scopes = interaction
                .letters()
                .chars()
                .mapToObj(letter -> (letter % 2 == 0 ? "system/*." : "system/Patient.") + (char) letter)
                .toArray(String[]::new);

        requireDone(interaction, send(interaction, token(scopes)));
    }

    @Test
    void closesTheHistoryOfTheServerToEveryScope() {
        Interaction history = wholeServer().findFirst().orElseThrow();

        requireOutcome(
                send(history, token(ALL)), 403, "the history or the compartment of all types is closed", history);
    }

    /** HAPI keeps the labels of the version before, and answers with them. */
    @Test
    void showsNoLabelsToAnUpdateWithoutTheLetterToRead() {
        Interaction update = new Interaction(
                "update",
                "u",
                "PUT",
                "Patient/{id}",
                JSON,
                """
                {"resourceType": "Patient", "id": "{id}", "gender": "other"}""",
                "Prefer",
                "return=representation");
        exchange(HttpRequest.newBuilder(atServer("Patient/" + id))
                .header("Content-Type", JSON)
                .PUT(HttpRequest.BodyPublishers.ofString(
                        """
                        {"resourceType": "Patient", "id": "%s", "meta": {"security": [{"code": "SECRET-LABEL"}]}}"""
                                .formatted(id))));

        assertThat(send(update, token("system/Patient.u")).body())
                .contains("OperationOutcome")
                .doesNotContain("SECRET-LABEL");
        assertThat(send(update, token("system/Patient.ru")).body()).contains("SECRET-LABEL");
    }

    @Test
    void letsAPatchCopyATextOnlyWhereTheTokenMaySearch() {
        Interaction copy = new Interaction(
                "copy",
                "ru",
                "PATCH",
                "Patient/{id}",
                "application/json-patch+json",
                """
                [{"op": "copy", "from": "/identifier/0/value", "path": "/identifier/0/system"}]""");

        requireForbidden(send(copy, token("system/Patient.cruds")), "system/*.s", copy);
        assertThat(send(copy, token("system/Patient.ru", "system/*.s")).statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "user/Patient.cruds",
                "patient/Patient.cruds",
                "user/*.cruds",
                "patient/*.rs",
                "system/Patient.read",
                "system/Patient.write",
                "system/Patient.*",
                "system/*.*",
                "system/*.read",
                "system/Patient.sr",
                "system/Patient.durcs",
                "system/Patient.rr",
                "system/Patient.r s",
                "system/Patient.",
                "system/Patient",
                "system/.cruds",
                "system/patient.cruds",
                "system/Pat*.cruds",
                "system/Patient,Basic.cruds",
                "system/Patient/1.cruds",
                "System/Patient.cruds",
                "SYSTEM/*.CRUDS",
                " system/Patient.cruds\t",
                "system/Patient.cruds?active=true",
                "system/Patient.rs?_id=1",
                "system/*.cruds?",
                "xsystem/*.cruds",
                "system/*.cruds.x",
                "system/Observation.cruds",
                "system/PatientX.cruds",
                "events.write tenants.all",
                "*"
            })
    void ignoresAScopeOfAnotherForm(String scope) {
        Map<String, String> before = versions();
        interactions()
                .filter(one ->
                        List.of("read", "search", "create", "update", "delete").contains(one.name()))
                .forEach(interaction -> {
                    HttpResponse<String> answer = send(interaction, "Bearer " + ForgedTokens.valid(List.of(scope)));

                    requireForbidden(answer, "system/Patient." + interaction.letters(), interaction);
                });
        assertThat(versions()).isEqualTo(before);
    }

    @ParameterizedTest
    @MethodSource({"interactions", "wholeServer"})
    void answersNothingToATenantWithoutAServer(Interaction interaction) {
        Map<String, String> before = versions();

        HttpResponse<String> answer = send(interaction, tokenOf("ann", "nobody", ALL, "tenants.all"));

        requireOutcome(answer, 404, "this tenant has no FHIR server", interaction);
        assertThat(versions()).isEqualTo(before);
    }

    @Test
    void showsTheCapabilitiesToEveryToken() {
        Interaction metadata = new Interaction("metadata", "", "GET", "metadata?_elements=fhirVersion", null, null);

        assertThat(send(metadata, token("events.write")).statusCode()).isEqualTo(200);
        assertThat(send(metadata, null).statusCode()).isEqualTo(401);
    }

    private void requireDone(Interaction interaction, HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isIn(200, 201);
        if (interaction.method().equals("DELETE")) {
            assertThat(exchange(HttpRequest.newBuilder(atServer("Patient/" + id)))
                            .statusCode())
                    .isEqualTo(410);
        }
    }

    private static void requireForbidden(HttpResponse<String> answer, String scope, Interaction interaction) {
        requireOutcome(answer, 403, "the token has no scope " + scope, interaction);
        assertThat(answer.headers().firstValue("WWW-Authenticate"))
                .contains("Bearer error=\"insufficient_scope\", scope=\"" + scope + "\"");
    }

    private static void requireOutcome(HttpResponse<String> answer, int status, String text, Interaction interaction) {
        assertThat(answer.statusCode()).as(interaction + ": " + answer.body()).isEqualTo(status);
        if (!interaction.method().equals("HEAD")) {
            assertThat(json(answer.body()).at("/issue/0/diagnostics").asText()).startsWith(text);
        }
    }

    private HttpResponse<String> send(Interaction interaction, String authorization) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                URI.create(facade() + "/" + interaction.target().replace("{id}", id)));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        if (interaction.type() != null) {
            request.header("Content-Type", interaction.type());
        }
        for (int i = 0; i < interaction.headers().length; i += 2) {
            request.header(interaction.headers()[i], interaction.headers()[i + 1].replace("{id}", id));
        }
        return exchange(request.method(
                interaction.method(),
                interaction.body() == null
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(interaction.body().replace("{id}", id))));
    }

    /** The ids and versions of the patients of this test on the server. */
    private Map<String, String> versions() {
        JsonNode found = json(exchange(HttpRequest.newBuilder(atServer("Patient?identifier=" + id + "&_count=50"))
                        .header("Cache-Control", "no-cache"))
                .body());
        return new TreeMap<>(found.path("entry").findValues("resource").stream()
                .collect(Collectors.toMap(
                        patient -> patient.path("id").asText(),
                        patient -> patient.at("/meta/versionId").asText())));
    }

    private static URI atServer(String path) {
        return URI.create(server + "/" + path);
    }
}
