package routes.platform;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.EventSchema;
import routes.platform.contract.OpenApi;

class PlainTextTest {

    private final EventSchema metadata = new EventSchema("metadata.json");

    @ParameterizedTest
    @ValueSource(strings = {"", "a\n", "\0", "a\u0085", "\u007f"})
    void isInvalidWhenEmptyOrWithControlCharacters(String text) {
        assertThat(PlainText.isValid(text)).isFalse();
    }

    @Test
    void countsCodePointsAndNotSurrogates() {
        assertThat(PlainText.isValid("\ud83d\ude00".repeat(256))).isTrue();
        assertThat(PlainText.isValid("x".repeat(257))).isFalse();
        assertThat(PlainText.isValid(5)).isFalse();
        assertThat(PlainText.isValid(null)).isFalse();
    }

    @Test
    void isVisibleWhereTheSchemasAcceptATenant() throws IOException {
        OpenApi contract = new OpenApi(new ClassPathResource("contract/openapi.yaml"));
        List<String> different = IntStream.rangeClosed(0, 0xffff)
                .filter(c -> !Character.isSurrogate((char) c))
                .mapToObj(Character::toString)
                .filter(text -> PlainText.isVisible(text) != fits(text)
                        || TenantName.isValid(text) != isParameter(contract, text))
                .map(text -> "U+%04X".formatted((int) text.charAt(0)))
                .toList();

        assertThat(different).isEmpty();
    }

    private boolean fits(String tenant) {
        ObjectNode event = JsonNodeFactory.instance
                .objectNode()
                .put("eventId", "6f0f7a6e-3c0b-5c58-9a53-6f9f0e2b7a11")
                .put("eventType", "t")
                .put("eventSource", "s")
                .put("timestamp", 1);
        event.putObject("security").put("principal", "p").put("tenant", tenant);
        return metadata.violations(event).isEmpty();
    }

    private static boolean isParameter(OpenApi contract, String tenant) {
        List<Violation> wrong = new ArrayList<>();
        contract.operation("getJob").read("query", Map.of("tenant", tenant), wrong);
        return wrong.isEmpty();
    }
}
