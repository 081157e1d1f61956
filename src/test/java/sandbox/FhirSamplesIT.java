package sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checks that the FHIR server gets each sample once. */
@Timeout(120)
class FhirSamplesIT {

    private static String base;

    @BeforeAll
    static void start() {
        base = Servers.shared().fhirServer().address();
    }

    @Test
    void loadsWhatIsMissingAndNothingTwice() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        FhirSamples samples = new FhirSamples(base, "none", new PrintStream(printed));

        samples.load();
        int again = samples.load();

        assertThat(again).isZero();
        assertThat(printed.toString()).endsWith("there already (5 FHIR bundles)" + System.lineSeparator());
        for (String family : new String[] {"Sherita708", "Marissa322", "Antonia30"}) {
            assertThat(get("/Patient?given=" + family).path("total").asInt())
                    .as(family)
                    .isEqualTo(1);
        }
        assertThat(get("/PractitionerRole?_summary=count").path("total").asInt())
                .isEqualTo(28);
        assertThat(get("/Encounter?_count=1")
                        .at("/entry/0/resource/serviceProvider/reference")
                        .asText())
                .matches("Organization/\\d+");
    }

    private static JsonNode get(String query) throws Exception {
        return new ObjectMapper().readTree(URI.create(base + query).toURL());
    }
}
