package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.fhir.AnswerRules.Effects;

/** Compares the effects that the answers of a real server show with the versions that it has made. */
class AnswerRulesIT {

    private static final String MINIMAL = "return=minimal";

    private static Hapi hapi;

    private final String name = UUID.randomUUID().toString();
    private final String id = "p" + name;
    private final String byName = "Patient?identifier=urn:test%7C" + name;

    private FhirRequest sent;

    @BeforeAll
    static void start() {
        hapi = new Hapi();
    }

    @ParameterizedTest
    @CsvSource({
        "return=representation, application/fhir+json",
        "return=representation, application/fhir+xml",
        "return=OperationOutcome, application/fhir+json",
        "return=OperationOutcome, application/fhir+xml",
        "return=minimal, application/fhir+json"
    })
    void tellsAChangeFromAnUpdateThatLeavesAResourceAsItIs(String prefer, String accept) throws Exception {
        boolean silent = prefer.equals(MINIMAL);
        String[] headers = {"Prefer", prefer, "Accept", accept};

        assertThat(write("PUT", id, "Patient/" + id, patient(true), headers)).isEqualTo(made(version(1)));
        assertThat(write("PUT", id, "Patient/" + id, patient(true), headers))
                .isEqualTo(silent ? claimed(version(1)) : unlessSourceIsMissing(prefer, version(1)));
        assertThat(write("PUT", id, "Patient/" + id, patient(false), headers))
                .isEqualTo(silent ? claimed(version(2)) : made(version(2)));
        assertThat(hapi.versionsOf(sent.requestId(), "Patient/" + id)).containsExactly(version(2));
        assertThat(write("PUT", null, byName, patient(true), headers))
                .isEqualTo(silent ? claimed(version(3)) : made(version(3)));
        assertThat(hapi.versionsOf(sent.requestId(), "Patient/" + id)).containsExactly(version(3));
        assertThat(write("PATCH", id, "Patient/" + id, setActive(false), headers))
                .isEqualTo(silent ? claimed(version(4)) : made(version(4)));
        assertThat(write("PATCH", id, "Patient/" + id, setActive(false), headers))
                .isEqualTo(silent ? claimed(version(4)) : nothing());
        assertThat(hapi.versionsOf(sent.requestId(), "Patient/" + id)).isEmpty();
    }

    /** An unchanged representation has the source that the client sent, and here it sent none. */
    private static Effects unlessSourceIsMissing(String prefer, FhirVersion named) {
        return prefer.equals("return=representation") ? claimed(named) : nothing();
    }

    @Test
    void tellsAnUnchangedResourceThatAClientHasReadAndSentBack() throws Exception {
        write("PUT", id, "Patient/" + id, patient(true));

        String read = hapi.get("Patient/" + id).toString();

        assertThat(read).contains("\"source\"");
        assertThat(write("PUT", id, "Patient/" + id, read)).isEqualTo(nothing());
    }

    @Test
    void tellsACreatedResourceFromTheMatchOfACondition() throws Exception {
        String condition = "identifier=urn:test|" + name;

        Effects created = write("POST", null, "Patient", patient(true), "If-None-Exist", condition);
        assertThat(created.complete()).isTrue();
        assertThat(created.outcomes()).singleElement().satisfies(outcome -> {
            assertThat(outcome.confirmed()).isTrue();
            assertThat(hapi.versionsOf(
                            sent.requestId(), "Patient/" + outcome.made().id()))
                    .containsExactly(outcome.made());
        });
        assertThat(write("POST", null, "Patient", patient(true), "If-None-Exist", condition))
                .isEqualTo(nothing());
    }

    @ParameterizedTest
    @ValueSource(strings = {"return=representation", "return=minimal", "return=OperationOutcome"})
    void tellsADeleteFromARepeatedOne(String prefer) throws Exception {
        write("PUT", id, "Patient/" + id, patient(true));

        assertThat(write("DELETE", id, "Patient/" + id, "", "Prefer", prefer)).isEqualTo(made(version(2)));
        assertThat(write("DELETE", id, "Patient/" + id, "", "Prefer", prefer)).isEqualTo(nothing());
        assertThat(write("DELETE", "none" + id, "Patient/none" + id, "", "Prefer", prefer))
                .isEqualTo(nothing());
        assertThat(write("PUT", id, "Patient/" + id, patient(true), "Prefer", prefer))
                .isEqualTo(made(version(3)));
    }

    @Test
    void cannotTellWhatADeleteByAQueryHasFound() throws Exception {
        write("PUT", id, "Patient/" + id, patient(true));

        assertThat(write("DELETE", null, byName, "")).isEqualTo(new Effects(false, List.of()));
        assertThat(write("DELETE", null, byName, "")).isEqualTo(nothing());
    }

    @ParameterizedTest
    @ValueSource(strings = {"If-Match: W/\"7\"", "If-None-Exist: identifier=a"})
    void aRefusedWriteMakesNothing(String header) throws Exception {
        write("PUT", id, "Patient/" + id, patient(true));
        String[] parts = header.split(": ");

        assertThat(write("PUT", id, "Patient/" + id, "{\"resourceType\":\"Basic\"}", parts[0], parts[1]))
                .isEqualTo(nothing());
    }

    @ParameterizedTest
    @CsvSource({
        "transaction, application/fhir+json,",
        "transaction, application/fhir+xml,",
        "transaction, application/fhir+json, return=representation",
        "transaction, application/fhir+xml, return=representation",
        "transaction, application/fhir+json, return=minimal",
        "batch, application/fhir+json,",
        "batch, application/fhir+xml, return=representation"
    })
    void findsEveryVersionOfABundle(String type, String accept, String prefer) throws Exception {
        write("PUT", id, "Patient/" + id, patient(true));
        write("PUT", "d" + id, "Patient/d" + id, patient("other", true));
        write("PUT", "n" + id, "Patient/n" + id, patient("same", true));
        write("PUT", "g" + id, "Patient/g" + id, patient("gone", true));
        write("DELETE", "g" + id, "Patient/g" + id, "");
        List<String> headers = new ArrayList<>(List.of("Accept", accept));
        if (prefer != null) {
            headers.addAll(List.of("Prefer", prefer));
        }

        Effects effects = bundle(
                type,
                headers,
                entry("POST", null, "Patient", patient("new", true)),
                entry("PUT", id, "Patient/" + id, patient(false)),
                entry("PUT", "n" + id, "Patient/n" + id, patient("same", true)),
                entry("DELETE", "d" + id, "Patient/d" + id, null),
                entry("DELETE", "g" + id, "Patient/g" + id, null),
                entry("DELETE", "none" + id, "Patient/none" + id, null),
                entry("GET", id, "Patient/" + id, null));

        assertThat(effects.complete()).isTrue();
        assertThat(effects.outcomes()).allMatch(FhirOutcome::confirmed).hasSize(3);
        List<FhirVersion> versions =
                effects.outcomes().stream().map(FhirOutcome::made).toList();
        String created = versions.stream()
                .filter(version -> version.version().equals("1"))
                .map(FhirVersion::id)
                .findFirst()
                .orElseThrow();
        assertThat(versions)
                .containsExactlyInAnyOrder(
                        new FhirVersion("Patient", created, "1"),
                        version(2),
                        new FhirVersion("Patient", "d" + id, "2"));
        assertThat(hapi.versionsOf(
                        sent.requestId(), "Patient/" + created, "Patient/" + id, "Patient/n" + id, "Patient/d" + id))
                .containsExactlyInAnyOrder(new FhirVersion("Patient", created, "1"), version(2));
    }

    @Test
    void findsBothVersionsOfAResourceThatABatchChangesTwice() throws Exception {
        Effects effects = bundle(
                "batch",
                List.of(),
                entry("PUT", id, "Patient/" + id, patient(true)),
                entry("PUT", id, "Patient/" + id, patient(false)),
                entry("PUT", "123", "Patient/123", patient(false)));

        assertThat(effects)
                .isEqualTo(new Effects(
                        true, List.of(new FhirOutcome(version(1), true), new FhirOutcome(version(2), true))));
    }

    @Test
    void keepsTheRequestIdThatItEchoes() throws Exception {
        FhirRequest request = Writes.write(Writes.newRequestId(), "PUT", "Patient", id);

        FhirAnswer answer = hapi.write(request, "Patient/" + id, patient(true));

        assertThat(RequestIdEcho.of(answer)).isEqualTo(request.requestId());
    }

    private record Entry(FhirInteraction interaction, String json) {}

    private Entry entry(String method, String resource, String url, String body) {
        boolean needsId = method.equals("PUT");
        String whole = needsId ? body.replaceFirst("\\{", "{\"id\":\"" + resource + "\",") : body;
        String json = """
                {%s "request": {"method": "%s", "url": "%s"}}"""
                .formatted(whole == null ? "" : "\"resource\": " + whole + ",", method, url);
        FhirInteraction interaction =
                method.equals("GET") ? Writes.read("Patient", resource) : Writes.write(method, "Patient", resource);
        return new Entry(interaction, json);
    }

    private Effects bundle(String type, List<String> headers, Entry... entries) throws Exception {
        sent = Writes.bundle(
                Writes.newRequestId(),
                Stream.of(entries).map(Entry::interaction).toArray(FhirInteraction[]::new));
        String body = """
                {"resourceType": "Bundle", "type": "%s", "entry": [%s]}"""
                .formatted(
                        type,
                        String.join(",", Stream.of(entries).map(Entry::json).toList()));
        return AnswerRules.effects(sent, hapi.write(sent, "", body, headers.toArray(String[]::new)));
    }

    private Effects write(String method, String resource, String path, String body, String... headers)
            throws Exception {
        sent = Writes.write(Writes.newRequestId(), method, "Patient", resource);
        boolean needsId = resource != null && body.contains("Patient") && !body.contains("\"id\"");
        String adjusted = needsId ? body.replaceFirst("\\{", "{\"id\":\"" + resource + "\",") : body;
        return AnswerRules.effects(sent, hapi.write(sent, path, adjusted, headers));
    }

    private static Effects made(FhirVersion version) {
        return new Effects(true, List.of(new FhirOutcome(version, true)));
    }

    private static Effects claimed(FhirVersion version) {
        return new Effects(true, List.of(new FhirOutcome(version, false)));
    }

    private static Effects nothing() {
        return new Effects(true, List.of());
    }

    private FhirVersion version(int number) {
        return new FhirVersion("Patient", id, Integer.toString(number));
    }

    private String patient(boolean active) {
        return patient(name, active);
    }

    private static String patient(String name, boolean active) {
        return """
                {"resourceType":"Patient","active":%s,"identifier":[{"system":"urn:test","value":"%s"}]}"""
                .formatted(active, name);
    }

    private static String setActive(boolean active) {
        return """
                {"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":%s}]}]}"""
                .formatted(active);
    }
}
