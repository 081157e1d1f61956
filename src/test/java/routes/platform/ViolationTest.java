package routes.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ViolationTest {

    private static final List<String> KNOWN = List.of("patientId", "limit");

    @ParameterizedTest
    @ValueSource(strings = {"patient", "patientid", "PatientId", "patient_id", "LIMIT", "tenant", "pageSize"})
    void repeatsOnlyNamesThatCannotBeData(String name) {
        assertThat(Violation.unknownParameter(name, KNOWN))
                .hasToString("query parameter " + name + ": is not known; known are patientId, limit");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "patient-4711",
                "patient7",
                "1984-02-29",
                "Zebra",
                "jane.doe@example.org",
                "jane doe",
                "<script>",
                "abcdefghijklmnopqrstu"
            })
    void doesNotRepeatANameThatCouldBeData(String name) {
        assertThat(Violation.unknownParameter(name, KNOWN))
                .hasToString("a query parameter: is not known; known are patientId, limit");
        assertThat(Violation.unknownProperty("/data", name, KNOWN))
                .hasToString("/data: has a property that is not known; known are patientId, limit");
    }

    @Test
    void namesTheBodyInARequest() {
        assertThat(new Violation("/payload/id", "is required").below("/payload").inRequest())
                .hasToString("body /id: is required");
        assertThat(new Violation("/payload", "must not be empty")
                        .below("/payload")
                        .inRequest())
                .hasToString("body: must not be empty");
        assertThat(new Violation("query parameter limit", "is given twice").inRequest())
                .hasToString("query parameter limit: is given twice");
    }
}
