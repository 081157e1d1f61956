package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class FhirVersionTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Patient/a-1.b/_history/3",
                "/Patient/a-1.b/_history/3",
                "http://fhir.example:8090/fhir/Patient/a-1.b/_history/3",
                "https://fhir.example/clinic/Patient/1/Patient/a-1.b/_history/3",
                "http://fhir.example/fhir/Patient/a-1.b/_history/3?_format=json"
            })
    void readsTheVersionAtTheEndOfALocation(String location) {
        assertThat(FhirVersion.at(location)).contains(new FhirVersion("Patient", "a-1.b", "3"));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                "Patient/1",
                "Patient/1/_history",
                "Patient/1/_history/",
                "Patient/1/_history/3/",
                "patient/1/_history/3",
                "Patient//_history/3",
                "Patient/1/_history/3 4",
                "_history/3",
                "http://fhir.example/fhir?Patient/1/_history"
            })
    void readsNothingElse(String location) {
        assertThat(FhirVersion.at(location)).isEmpty();
    }

    @Test
    void readsALongLocationQuickly() {
        String location = "Patient/".repeat(100_000) + "1/_history/2";

        assertThat(FhirVersion.at(location)).contains(new FhirVersion("Patient", "1", "2"));
    }
}
