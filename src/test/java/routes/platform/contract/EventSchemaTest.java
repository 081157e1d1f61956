package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.Json;
import routes.platform.Violation;
import routes.platform.error.ProblemException;

class EventSchemaTest {

    private final EventSchema schema = new EventSchema("metadata.json");

    @ParameterizedTest
    @ValueSource(strings = {"0", "1.0", "1e3", "253402300799999", "2.53402300799999e14", "1000e-3", "0e999999999"})
    void acceptsAWholeNumberWithinTheBounds(String timestamp) {
        assertThat(errors("t", timestamp)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"253402300800000", "1e300", "1e999999999", "18446744073709551617", "1.8446744073709551617e19"})
    void rejectsANumberBeyondTheBound(String timestamp) {
        assertThat(errors("t", timestamp)).startsWith("/timestamp: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "-1e300", "-1e999999999", "-1.8446744073709551615e19"})
    void rejectsANumberBelowTheBound(String timestamp) {
        assertThat(errors("t", timestamp)).startsWith("/timestamp: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.5", "1e-999999999"})
    void rejectsAFraction(String timestamp) {
        assertThat(errors("t", timestamp)).startsWith("/timestamp: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\\n", "a\\r\\n", "a\\u0085", "a\\u0000", "\\n"})
    void rejectsATrailingControlCharacter(String type) {
        assertThat(errors(type, "1")).startsWith("/eventType: ");
    }

    @Test
    void describesOnlyTheFirstOfVeryManyViolations() {
        JsonNode value = Json.readObject(("{\"security\":{\"claims\":{\"scope\":[" + "1,".repeat(100_000) + "1]}}}")
                .getBytes(StandardCharsets.UTF_8));

        List<Violation> violations = schema.violations(value);

        // 4 required fields of the metadata, the principal, and the scopes
        assertThat(violations).hasSize(100_006);
        Set<Violation> made = Collections.newSetFromMap(new IdentityHashMap<>());
        made.addAll(violations);
        assertThat(made).hasSizeLessThan(25).doesNotHaveDuplicates();
        assertThat(schema.errors(value)).hasSize(100_006).first().asString().startsWith("/");
        assertThat(ProblemException.line(violations)).endsWith("; and 100005 more");
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
