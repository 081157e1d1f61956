package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.camel.Exchange;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

class FhirAccessTest {

    private final FhirAccess access = new FhirAccess();

    @ParameterizedTest(name = "{0} for {1}")
    @CsvSource({
        "system/Patient.r, rPatient",
        "system/*.cruds, cPatient sObservation s*",
        "system/Patient.c system/Patient.s, cPatient sPatient",
        "system/Patient.c system/*.s, cPatient sPatient",
        "'', ''"
    })
    void letsARequestPassWhoseNeedsTheScopesGrant(String scopes, String needs) {
        assertThatCode(() -> access.check(exchange(scopes, false, needs))).doesNotThrowAnyException();
    }

    @ParameterizedTest(name = "{0} for {1}")
    @CsvSource({
        "'', rPatient, system/Patient.r",
        "system/Patient.rs, uPatient cPatient, system/Patient.cu",
        "system/Patient.cruds, s*, system/*.s",
        "system/Patient.c, cPatient sPatient sGroup, system/Group.s system/Patient.s",
        "system/*.r, cPatient, system/Patient.c",
        "system/Patient.read patients.read, rPatient, system/Patient.r"
    })
    void namesTheMissingScopes(String scopes, String needs, String missing) {
        Exchange exchange = exchange(scopes, false, needs);

        assertRefused(exchange, "the token has no scope " + missing);
        assertThat(exchange.getMessage().getHeader("WWW-Authenticate"))
                .isEqualTo("""
                Bearer error="insufficient_scope", scope="%s\"""".formatted(missing));
    }

    @Test
    void namesTheFirstEntryThatLacksAScope() {
        Exchange exchange = exchange("system/Patient.rs", true, "rPatient", "sPatient", "dPatient", "cGroup");

        assertRefused(exchange, "Bundle.entry[2]: the token has no scope system/Patient.d");
        assertThat(exchange.getMessage().getHeader("WWW-Authenticate"))
                .isEqualTo("""
                Bearer error="insufficient_scope", scope="system/Patient.d\"""");
    }

    @Test
    void refusesARequestWhoseUrlNeedsMoreBeforeItsBody() {
        Exchange exchange = exchange("system/Patient.rs", false, "");
        Caller caller = FhirRequest.of(exchange).caller();

        assertThatThrownBy(() -> access.checkUrl(
                        FhirParsers.head("POST", "Patient", FhirFormat.JSON),
                        Set.of(new FhirPermission('c', "Patient")),
                        caller,
                        exchange))
                .hasMessage("the token has no scope system/Patient.c");
        assertThat(exchange.getMessage().getHeader("WWW-Authenticate").toString())
                .contains("system/Patient.c");
        assertThatCode(() -> access.checkUrl(FhirParsers.head("POST", "", FhirFormat.JSON), Set.of(), caller, exchange))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({"''", "prescriptions.write patients.read", "patient/Patient.rs", "system/Patient.read"})
    void readsNoBundleOfACallerWithoutAnyScope(String scopes) {
        Exchange exchange = exchange(scopes, true, "");
        Caller caller = FhirRequest.of(exchange).caller();

        assertThatThrownBy(() ->
                        access.checkUrl(FhirParsers.head("POST", "", FhirFormat.JSON), Set.of(), caller, exchange))
                .hasMessage("Bundle: the token has no scope system/*.cruds");
        assertThatCode(() -> access.checkUrl(
                        FhirParsers.head("GET", "metadata", FhirFormat.NONE), Set.of(), caller, exchange))
                .doesNotThrowAnyException();
    }

    /** @param needs the permissions of each interaction, such as {@code rPatient sGroup} */
    private static Exchange exchange(String scopes, boolean isBundle, String... needs) {
        Caller caller = new Caller("c", "default", "default", null, Set.of(), Set.of(scopes.split(" ")));
        return Writes.exchange(
                Writes.request(
                        caller,
                        Writes.newRequestId(),
                        isBundle,
                        Arrays.stream(needs).map(FhirAccessTest::interaction).toList()),
                null);
    }

    private static FhirInteraction interaction(String needs) {
        List<FhirPermission> permissions = Arrays.stream(needs.split(" "))
                .filter(need -> !need.isEmpty())
                .map(need -> new FhirPermission(need.charAt(0), need.substring(1)))
                .toList();
        return new FhirInteraction("GET", "Patient", "1", false, Set.copyOf(permissions));
    }

    private void assertRefused(Exchange exchange, String error) {
        assertThatThrownBy(() -> access.check(exchange))
                .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                .extracting(ProblemException::status, Throwable::getMessage)
                .containsExactly(403, error);
    }
}
