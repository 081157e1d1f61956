package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.fhir.FhirParsers.bytes;
import static routes.fhir.FhirParsers.head;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Finds what requests without a body ask for. */
class FhirInteractionParserTest {

    private final FhirInteractionParser parser = FhirParsers.parser();

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            GET    | metadata                                          | ''
            GET    | ?_getpages=1                                      | ''
            GET    | _history                                          | system/*.s
            GET    | Patient                                           | system/Patient.s
            GET    | Patient/1                                         | system/Patient.r
            DELETE | Patient/1                                         | system/Patient.d
            DELETE | Patient?identifier=a%7Cb                          | system/Patient.ds
            GET    | Observation?subject:Patient.name=x                | system/Observation.s system/Patient.s
            """)
    void needs(String method, String url, String needs) {
        assertThat(FhirParsers.needs(parser.parse(head(method, url, FhirFormat.NONE), bytes(""))))
                .isEqualTo(needs);
    }
}
