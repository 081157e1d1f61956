package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SmartScopesTest {

    @ParameterizedTest(name = "{0} grants {1} of {2}: {3}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            system/Patient.r                    | r | Patient     | true
            system/Patient.r                    | s | Patient     | false
            system/Patient.r                    | r | Observation | false
            system/Patient.r                    | r | *           | false
            system/Patient.cruds                | c | Patient     | true
            system/Patient.cruds                | r | Patient     | true
            system/Patient.cruds                | u | Patient     | true
            system/Patient.cruds                | d | Patient     | true
            system/Patient.cruds                | s | Patient     | true
            system/Patient.cs                   | c | Patient     | true
            system/Patient.cs                   | u | Patient     | false
            system/*.rs                         | r | Patient     | true
            system/*.rs                         | s | *           | true
            system/*.rs                         | c | Patient     | false
            system/Patient.r system/Patient.u   | u | Patient     | true
            system/Patient.r system/*.s         | s | Patient     | true
            system/Patient.r system/*.s         | r | Observation | false
            patients.read system/Patient.d      | d | Patient     | true
            """)
    void grantsWhatItsLettersSay(String scopes, char letter, String type, boolean isGranted) {
        assertThat(new SmartScopes(Set.of(scopes.split(" "))).grants(new FhirPermission(letter, type)))
                .isEqualTo(isGranted);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "system/Patient.read",
                "system/Patient.write",
                "system/Patient.*",
                "system/*.*",
                "system/*.read",
                "patient/Patient.cruds",
                "user/Patient.cruds",
                "system/Patient.cruds?category=x",
                "system/Patient.rs?",
                "system/Patient.sr",
                "system/Patient.dus",
                "system/Patient.rr",
                "system/Patient.crudsx",
                "system/Patient.CRUDS",
                "system/Patient.",
                "system/Patient",
                "system/.cruds",
                "system/patient.cruds",
                "system/Patient.cruds ",
                " system/Patient.cruds",
                "system/Patient.cruds\n",
                "System/Patient.cruds",
                "system//Patient.cruds",
                "system/Pat*.cruds",
                "system/Pat%69ent.cruds",
                "system/**.cruds",
                "launch",
                ""
            })
    void grantsNothingForAnotherForm(String scope) {
        SmartScopes scopes = new SmartScopes(Set.of(scope));

        assertThat("cruds".chars().mapToObj(letter -> new FhirPermission((char) letter, "Patient")))
                .noneMatch(scopes::grants);
    }

    @Test
    void namesOneScopeForEachType() {
        assertThat(SmartScopes.granting(List.of(
                        new FhirPermission('s', "Patient"),
                        new FhirPermission('r', "Observation"),
                        new FhirPermission('c', "Patient"),
                        new FhirPermission('s', "*"))))
                .containsExactly("system/*.s", "system/Observation.r", "system/Patient.cs");
    }
}
