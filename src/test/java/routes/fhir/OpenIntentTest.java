package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import routes.fhir.OpenIntent.End;
import routes.fhir.OpenIntent.Progress;

class OpenIntentTest {

    private static final FhirTarget PUT = new FhirTarget("PUT", "Patient", "p-1", 1);
    private static final FhirTarget DELETE = new FhirTarget("DELETE", "Patient", "p-2", 1);
    private static final FhirTarget CREATES = new FhirTarget("POST", "Patient", null, 2);
    private static final FhirTarget CONDITIONAL = new FhirTarget("PUT", "Patient", null, 1);
    private static final FhirTarget DELETE_BY_QUERY = new FhirTarget("DELETE", "Patient", null, 1);

    private static final FhirVersion P1 = new FhirVersion("Patient", "p-1", "2");
    private static final FhirVersion P2 = new FhirVersion("Patient", "p-2", "3");
    private static final FhirVersion NEW_1 = new FhirVersion("Patient", "7", "1");
    private static final FhirVersion NEW_2 = new FhirVersion("Patient", "8", "1");
    private static final FhirVersion NEW_3 = new FhirVersion("Patient", "9", "4");

    @Test
    void isDoneWhenEachTargetHasAVersion() {
        assertThat(young(PUT, DELETE).end(List.of(P1, P2), false)).contains(End.DONE);
        assertThat(young(PUT, CREATES, CONDITIONAL).end(List.of(P1, NEW_1, NEW_2, NEW_3), false))
                .contains(End.DONE);
        assertThat(young(PUT).end(List.of(P1), true)).contains(End.DONE);
    }

    @Test
    void isAskedForAgainWhileAVersionIsMissing() {
        assertThat(young(PUT, DELETE).end(List.of(P1), false)).isEmpty();
        assertThat(young(PUT, CREATES).end(List.of(P1, NEW_1), false)).isEmpty();
        assertThat(young(PUT, CREATES, CONDITIONAL).end(List.of(P1, NEW_1, NEW_2), false))
                .isEmpty();
        assertThat(young(PUT).end(List.of(), false)).isEmpty();
    }

    @Test
    void needsAVersionForEachWriteOfOneResource() {
        FhirTarget twice = new FhirTarget("PUT", "Patient", "p-1", 2);
        FhirTarget patch = new FhirTarget("PATCH", "Patient", "p-1", 1);
        FhirVersion next = new FhirVersion("Patient", "p-1", "3");
        FhirVersion last = new FhirVersion("Patient", "p-1", "4");

        assertThat(young(twice).end(List.of(P1), false)).isEmpty();
        assertThat(young(twice).end(List.of(P1, next), false)).contains(End.DONE);
        assertThat(young(PUT, patch).end(List.of(P1), false)).isEmpty();
        assertThat(young(twice, patch).end(List.of(P1, next), false)).isEmpty();
        assertThat(young(twice, patch).end(List.of(P1, next, last), false)).contains(End.DONE);
        assertThat(expired(twice).end(List.of(P1), false)).contains(End.DONE);
    }

    @Test
    void isHopelessAfterManyAttemptsWhenItHasExpired() {
        assertThat(young(PUT).isHopeless(100)).isFalse();
        assertThat(expired(PUT).isHopeless(OpenIntent.MAX_ATTEMPTS - 1)).isFalse();
        assertThat(expired(PUT).isHopeless(OpenIntent.MAX_ATTEMPTS)).isTrue();
    }

    @Test
    void hasNoEffectWhenNothingIsFoundInTime() {
        assertThat(expired(PUT, CREATES).end(List.of(), false)).contains(End.NO_EFFECT);
    }

    @Test
    void isDoneWithWhatIsFoundInTime() {
        assertThat(expired(PUT, CREATES).end(List.of(NEW_1), false)).contains(End.DONE);
    }

    @Test
    void isUnresolvedWhenTheAnswersStayUnclear() {
        assertThat(young(PUT).end(List.of(), true)).isEmpty();
        assertThat(expired(PUT).end(List.of(), true)).contains(End.UNRESOLVED);
        assertThat(expired(PUT, DELETE).end(List.of(P1), true)).contains(End.UNRESOLVED);
    }

    @Test
    void endsAfterOnePassWhenTheServerHasAnswered() {
        assertThat(answered(PUT, CREATES).end(List.of(P1), false)).contains(End.DONE);
        assertThat(answered(PUT).end(List.of(), false)).contains(End.NO_EFFECT);
        assertThat(answered(DELETE).end(List.of(), true)).isEmpty();
    }

    @Test
    void isUnresolvedWhenAQueryHasDeletedAnUnknownResource() {
        assertThat(answered(DELETE_BY_QUERY).end(List.of(), false)).contains(End.UNRESOLVED);
        assertThat(answered(PUT, DELETE_BY_QUERY).end(List.of(P1), false)).contains(End.UNRESOLVED);
        assertThat(expired(DELETE_BY_QUERY).end(List.of(), false)).contains(End.NO_EFFECT);
    }

    @ParameterizedTest
    @CsvSource({"Patient, p-2", "Basic, p-1"})
    void aVersionOfAnotherResourceDoesNotCount(String type, String id) {
        assertThat(expired(PUT).end(List.of(new FhirVersion(type, id, "1")), false))
                .contains(End.DONE);
        assertThat(young(PUT).end(List.of(new FhirVersion(type, id, "1")), false))
                .isEmpty();
    }

    private static OpenIntent young(FhirTarget... targets) {
        return intent(false, false, targets);
    }

    private static OpenIntent expired(FhirTarget... targets) {
        return intent(false, true, targets);
    }

    private static OpenIntent answered(FhirTarget... targets) {
        return intent(true, false, targets);
    }

    private static OpenIntent intent(boolean answered, boolean expired, FhirTarget... targets) {
        return new OpenIntent(
                "a1B2c3D4e5F6g7H8",
                "default",
                Instant.EPOCH,
                answered,
                expired,
                Arrays.asList(targets),
                Set.of(),
                new Progress(0, false, 0, 1),
                Instant.EPOCH);
    }
}
