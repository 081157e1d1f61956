package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.fhir.AnswerRules.Effects;

class AnswerRulesTest {

    private static final String OURS = "a1B2c3D4e5F6g7H8";
    private static final String PLACE = "http://fhir.example/fhir/Patient/1/_history/2";
    private static final FhirVersion VERSION = new FhirVersion("Patient", "1", "2");

    private static final Effects CONFIRMED = new Effects(true, List.of(new FhirOutcome(VERSION, true)));
    private static final Effects UNCONFIRMED = new Effects(true, List.of(new FhirOutcome(VERSION, false)));
    private static final Effects NOTHING = new Effects(true, List.of());
    private static final Effects UNKNOWN = new Effects(false, List.of());

    @ParameterizedTest
    @CsvSource({"POST,", "PUT, 1", "PUT,", "PATCH,"})
    void aCreatedResourceIsOurs(String method, String id) {
        assertThat(single(method, id, 201, "")).isEqualTo(CONFIRMED);
    }

    @Test
    void theMatchOfAConditionalCreateIsNotOurs() {
        assertThat(single("POST", null, 200, "")).isEqualTo(NOTHING);
        assertThat(single("POST", null, 200, patient("#someOtherRequest"))).isEqualTo(NOTHING);
    }

    @ParameterizedTest
    @CsvSource({"PUT, 1", "PUT,", "PATCH, 1", "PATCH,"})
    void anUpdateIsOursWhenItsSourceEndsWithOurId(String method, String id) {
        assertThat(single(method, id, 200, patient("#" + OURS))).isEqualTo(CONFIRMED);
        assertThat(single(method, id, 200, patient("https://clinic.example#" + OURS)))
                .isEqualTo(CONFIRMED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"#someOtherRequest", "https://clinic.example#x", "#a1B2c3D4e5F6g7H", "#"})
    void anUpdateWithAnotherSourceChangedNothing(String source) {
        assertThat(single("PUT", "1", 200, patient(source))).isEqualTo(NOTHING);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{\"resourceType\":\"Patient\",\"id\":\"1\"}"})
    void anUpdateWithoutASourceIsUnconfirmed(String body) {
        assertThat(single("PUT", "1", 200, body)).isEqualTo(UNCONFIRMED);
        assertThat(single("PATCH", "1", 200, body)).isEqualTo(UNCONFIRMED);
    }

    @ParameterizedTest
    @CsvSource({
        "PUT, 1, 200, SUCCESSFUL_UPDATE",
        "PUT,, 200, SUCCESSFUL_UPDATE_WITH_CONDITIONAL_MATCH",
        "PUT,, 201, SUCCESSFUL_UPDATE_NO_CONDITIONAL_MATCH",
        "PATCH, 1, 200, SUCCESSFUL_PATCH",
        "PATCH,, 200, SUCCESSFUL_CONDITIONAL_PATCH",
        "DELETE, 1, 200, SUCCESSFUL_DELETE"
    })
    void theServersCodeConfirmsAChange(String method, String id, int status, String code) {
        assertThat(single(method, id, status, outcome(code))).isEqualTo(CONFIRMED);
    }

    @ParameterizedTest
    @CsvSource({
        "POST,, SUCCESSFUL_CREATE_WITH_CONDITIONAL_MATCH",
        "PUT, 1, SUCCESSFUL_UPDATE_NO_CHANGE",
        "PUT,, SUCCESSFUL_UPDATE_WITH_CONDITIONAL_MATCH_NO_CHANGE",
        "PATCH, 1, SUCCESSFUL_PATCH_NO_CHANGE",
        "PATCH,, SUCCESSFUL_CONDITIONAL_PATCH_NO_CHANGE",
        "DELETE, 1, SUCCESSFUL_DELETE_ALREADY_DELETED",
        "DELETE, 1, SUCCESSFUL_DELETE_NOT_FOUND"
    })
    void theServersCodeTellsThatNothingChanged(String method, String id, String code) {
        assertThat(single(method, id, 200, outcome(code))).isEqualTo(NOTHING);
    }

    @Test
    void aDeleteWithoutACodeIsUnconfirmed() {
        assertThat(single("DELETE", "1", 204, "")).isEqualTo(UNCONFIRMED);
    }

    @ParameterizedTest
    @ValueSource(ints = {304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 414, 415, 422, 428, 429, 431, 501})
    void anErrorOfTheRequestChangedNothing(int status) {
        assertThat(single("PUT", "1", status, outcome("FAILURE"))).isEqualTo(NOTHING);
        assertThat(AnswerRules.effects(
                        Writes.bundle(OURS, Writes.write("POST", "Patient", null)), Writes.answer(status, "")))
                .isEqualTo(NOTHING);
    }

    @ParameterizedTest
    @ValueSource(ints = {202, 206, 302, 406, 408, 418, 425, 499, 500, 502, 503, 504, 507, 520, 599})
    void aStatusThatProvesNothingLeavesTheEffectsUnknown(int status) {
        assertThat(single("PUT", "1", status, patient("#" + OURS))).isEqualTo(UNKNOWN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"resourceType\":", "<html><p>maintenance</html>"})
    void aMalformedAnswerLeavesTheEffectsUnknown(String body) {
        assertThat(single("PUT", "1", 200, body)).isEqualTo(UNKNOWN);
    }

    @Test
    void aSuccessThatNamesNoVersionLeavesTheEffectsUnknown() {
        FhirRequest conditional = Writes.write(OURS, "DELETE", "Patient", null);

        assertThat(AnswerRules.effects(conditional, Writes.answer(200, outcome("SUCCESSFUL_DELETE"))))
                .isEqualTo(UNKNOWN);
        assertThat(AnswerRules.effects(conditional, Writes.answer(200, outcome("SUCCESSFUL_DELETE_NOT_FOUND"))))
                .isEqualTo(NOTHING);
        assertThat(AnswerRules.effects(
                        Writes.write(OURS, "PUT", "Patient", "1"),
                        Writes.answer(200, "", "location", "http://fhir.example/fhir/Patient/1")))
                .isEqualTo(UNKNOWN);
    }

    @Test
    void theIdOfAServerThatReplacesOursCountsToo() {
        FhirAnswer answer =
                Writes.answer(200, patient("#ofTheServer"), "content-location", PLACE, "x-request-id", "ofTheServer");

        assertThat(AnswerRules.effects(Writes.write(OURS, "PUT", "Patient", "1"), answer))
                .isEqualTo(CONFIRMED);
    }

    @Test
    void readsEachEntryOfABundle() {
        FhirRequest request = Writes.bundle(
                OURS,
                Writes.write("POST", "Observation", null),
                Writes.write("POST", "Patient", null),
                Writes.write("PUT", "Patient", "p-1"),
                Writes.write("PUT", "Patient", "p-2"),
                Writes.write("PUT", "Basic", null),
                Writes.write("DELETE", "Basic", "b-1"),
                Writes.write("DELETE", "Basic", "b-2"),
                Writes.write("PATCH", "Patient", "p-3"),
                Writes.read("Coverage", "c-1"));
        String body = bundle(
                entry("201 Created", "Observation/7/_history/1", "SUCCESSFUL_CREATE"),
                entry("200 OK", "Patient/8/_history/3", "SUCCESSFUL_CREATE_WITH_CONDITIONAL_MATCH"),
                entry("200 OK", "Patient/p-1/_history/4", "SUCCESSFUL_UPDATE"),
                entry("200 OK", "Patient/p-2/_history/5", "SUCCESSFUL_UPDATE_NO_CHANGE"),
                entry("200 OK", "Basic/9/_history/2", null),
                entry("204 No Content", "Basic/b-1/_history/6", "SUCCESSFUL_DELETE"),
                entry("204 No Content", "Basic/b-2/_history/7", null),
                entry("404 Not Found", "Patient/p-3/_history/9", null),
                entry("200 OK", "Coverage/c-1/_history/9", null));

        assertThat(AnswerRules.effects(request, Writes.answer(200, body)))
                .isEqualTo(new Effects(
                        true,
                        List.of(
                                new FhirOutcome(new FhirVersion("Observation", "7", "1"), true),
                                new FhirOutcome(new FhirVersion("Patient", "p-1", "4"), true),
                                new FhirOutcome(new FhirVersion("Basic", "9", "2"), false),
                                new FhirOutcome(new FhirVersion("Basic", "b-1", "6"), true),
                                new FhirOutcome(new FhirVersion("Basic", "b-2", "7"), false))));
    }

    @Test
    void aVersionThatTwoEntriesNameIsOneOutcome() {
        FhirRequest request =
                Writes.bundle(OURS, Writes.write("PUT", "Patient", "1"), Writes.write("PATCH", "Patient", "1"));
        String body = bundle(
                entry("200 OK", "Patient/1/_history/2", null),
                entry("200 OK", "Patient/1/_history/2", "SUCCESSFUL_PATCH"));

        assertThat(AnswerRules.effects(request, Writes.answer(200, body))).isEqualTo(CONFIRMED);
    }

    @Test
    void aConditionalDeleteInABundleLeavesTheEffectsUnknown() {
        FhirRequest request =
                Writes.bundle(OURS, Writes.write("POST", "Patient", null), Writes.write("DELETE", "Basic", null));
        String created = entry("201 Created", "Patient/1/_history/2", "SUCCESSFUL_CREATE");

        assertThat(AnswerRules.effects(
                        request,
                        Writes.answer(200, bundle(created, entry("204 No Content", null, "SUCCESSFUL_DELETE")))))
                .isEqualTo(new Effects(false, CONFIRMED.outcomes()));
        assertThat(AnswerRules.effects(
                        request,
                        Writes.answer(
                                200, bundle(created, entry("204 No Content", null, "SUCCESSFUL_DELETE_NOT_FOUND")))))
                .isEqualTo(CONFIRMED);
    }

    @Test
    void anEmptyAnswerToABundleLeavesTheEffectsUnknown() {
        FhirRequest request = Writes.bundle(OURS, Writes.write("POST", "Patient", null));

        assertThat(AnswerRules.effects(request, Writes.answer(200, ""))).isEqualTo(UNKNOWN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"500 Internal Server Error", "408 Request Timeout", "202 Accepted", "2000", "OK", ""})
    void anEntryWhoseStatusProvesNothingLeavesTheEffectsUnknown(String status) {
        FhirRequest request =
                Writes.bundle(OURS, Writes.write("PUT", "Patient", "1"), Writes.write("PUT", "Patient", "2"));
        String created = entry("201 Created", "Patient/1/_history/2", "SUCCESSFUL_CREATE");

        assertThat(AnswerRules.effects(
                        request, Writes.answer(200, bundle(created, entry(status, "Patient/2/_history/7", null)))))
                .isEqualTo(new Effects(false, CONFIRMED.outcomes()));
    }

    @Test
    void anEntryThatTheAnswerLeavesOutLeavesTheEffectsUnknown() {
        FhirRequest request =
                Writes.bundle(OURS, Writes.write("PUT", "Patient", "1"), Writes.write("PUT", "Patient", "2"));
        String created = entry("201 Created", "Patient/1/_history/2", "SUCCESSFUL_CREATE");

        assertThat(AnswerRules.effects(request, Writes.answer(200, bundle(created))))
                .isEqualTo(new Effects(false, CONFIRMED.outcomes()));
        assertThat(AnswerRules.effects(request, Writes.answer(200, bundle(created, entry("200 OK", null, null)))))
                .isEqualTo(new Effects(false, CONFIRMED.outcomes()));
    }

    @Test
    void theAnswerToAReadInABundleDoesNotMatter() {
        FhirRequest request = Writes.bundle(OURS, Writes.write("PUT", "Patient", "1"), Writes.read("Patient", "2"));
        String created = entry("201 Created", "Patient/1/_history/2", "SUCCESSFUL_CREATE");

        assertThat(AnswerRules.effects(request, Writes.answer(200, bundle(created, entry("500 Error", null, null)))))
                .isEqualTo(CONFIRMED);
    }

    @Test
    void anAnswerInXmlFollowsTheSameRules() {
        FhirRequest request = Writes.bundle(OURS, Writes.write("PUT", "Patient", "1"));
        String body =
                """
                <Bundle xmlns="http://hl7.org/fhir"><entry>
                  <resource><Patient><meta><source value="#%s"/></meta></Patient></resource>
                  <response><status value="200 OK"/><location value="Patient/1/_history/2"/></response>
                </entry></Bundle>"""
                        .formatted(OURS);

        assertThat(AnswerRules.effects(request, Writes.answer(200, body))).isEqualTo(CONFIRMED);
    }

    private static Effects single(String method, String id, int status, String body) {
        return AnswerRules.effects(
                Writes.write(OURS, method, "Patient", id), Writes.answer(status, body, "content-location", PLACE));
    }

    private static String patient(String source) {
        return """
                {"resourceType":"Patient","id":"1","meta":{"source":"%s"}}""".formatted(source);
    }

    private static String outcome(String code) {
        return """
                {"resourceType":"OperationOutcome","issue":[{"details":{"coding":[{"code":"%s"}]}}]}"""
                .formatted(code);
    }

    private static String bundle(String... entries) {
        return """
                {"resourceType":"Bundle","type":"transaction-response","entry":[%s]}"""
                .formatted(String.join(",", entries));
    }

    private static String entry(String status, String location, String code) {
        String place = location == null ? "" : ",\"location\":\"" + location + "\"";
        String outcome = code == null ? "" : ",\"outcome\":" + outcome(code);
        return """
                {"response":{"status":"%s"%s%s}}""".formatted(status, place, outcome);
    }
}
