package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.Json;

class EventSchemaTest {

    private final EventSchema schema = new EventSchema("metadata.json");

    @ParameterizedTest
    @ValueSource(strings = {"0", "1.0", "1e3", "253402300799999", "2.53402300799999e14", "1000e-3", "0e999999999"})
    void takesAWholeNumberWithinTheBounds(String timestamp) {
        assertThat(errors("t", timestamp)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"253402300800000", "1e300", "1e999999999", "18446744073709551617", "1.8446744073709551617e19"})
    void refusesANumberBeyondTheBound(String timestamp) {
        assertThat(errors("t", timestamp)).startsWith("/timestamp: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "-1e300", "-1e999999999", "-1.8446744073709551615e19"})
    void refusesANumberBelowTheBound(String timestamp) {
        assertThat(errors("t", timestamp)).startsWith("/timestamp: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.5", "1e-999999999"})
    void refusesAFraction(String timestamp) {
        assertThat(errors("t", timestamp)).startsWith("/timestamp: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\\n", "a\\r\\n", "a\\u0085", "a\\u0000", "\\n"})
    void refusesControlCharactersAtTheEndToo(String type) {
        assertThat(errors(type, "1")).startsWith("/eventType: ");
    }

    private String errors(String type, String timestamp) {
        return schema.firstError(Json.readObject(
                        """
                                {"eventId": "6f0f7a6e-3c0b-5c58-9a53-6f9f0e2b7a11", "eventType": "%s", "eventSource": "s", "timestamp": %s}"""
                                .formatted(type, timestamp)
                                .getBytes(StandardCharsets.UTF_8)))
                .orElse("");
    }
}
