package routes.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.Json;
import routes.platform.error.InvalidMetadataException;
import routes.platform.error.ProblemException;

class EventMetadataTest {

    @Test
    void correlatesAnEventWithoutACorrelationIdByItsOwnId() {
        assertThat(enveloped("").correlationId()).isEqualTo("e-1");
        assertThat(enveloped(", 'correlationId': null").correlationId()).isEqualTo("e-1");
        assertThat(enveloped(", 'correlationId': ''").correlationId()).isEqualTo("e-1");
        assertThat(enveloped(", 'correlationId': 'c-1'").correlationId()).isEqualTo("c-1");
    }

    @Test
    void takesTheTenantFromEitherPlaceOrTheDefault() {
        assertThat(enveloped("").tenant()).isEqualTo("default");
        assertThat(enveloped(", 'security': null").tenant()).isEqualTo("default");
        assertThat(enveloped(", 'security': {'principal': 'p', 'tenant': 'a'}").tenant())
                .isEqualTo("a");
        assertThat(enveloped(", 'security': {'principal': 'p', 'claims': {'tenant': 'b'}}")
                        .tenant())
                .isEqualTo("b");
    }

    @Test
    void readsAFlatEventWithTheHeadersAsTheOnlyCarrier() {
        EventMetadata metadata = of(
                "{'eventId': 'e-1', 'eventType': 't', 'timestamp': 7, 'correlationId': 'not here'}",
                Map.of("correlation-id", "c-1", "causation-id", "cause", "tenant", "a"));

        assertThat(metadata).isEqualTo(new EventMetadata("e-1", "t", 7, "c-1", "cause", "a"));
    }

    @Test
    void correlatesCommandsByTheirIdAndSagaEventsByTheirSaga() {
        assertThat(of("{'commandId': 'c-1', 'commandType': 't', 'timestamp': 7}", Map.of("causation-id", ""))
                        .correlationId())
                .isEqualTo("c-1");
        assertThat(of("{'eventId': 'e-1', 'sagaId': 's-1', 'eventType': 't', 'timestamp': 7}", Map.of())
                        .correlationId())
                .isEqualTo("s-1");
    }

    @Test
    void readsAnIdIndependentOfItsCase() {
        String upper = "6F0F7A6E-3C0B-5C58-9A53-6F9F0E2B7A11";
        String lower = upper.toLowerCase(Locale.ROOT);
        EventMetadata command =
                of("{'commandId': '" + upper + "', 'commandType': 't', 'timestamp': 7}", Map.of("causation-id", upper));
        assertThat(command).isEqualTo(new EventMetadata(lower, "t", 7, lower, lower, "default"));
        assertThat(of(
                                "{'metadata': {'eventId': '" + upper
                                        + "', 'eventType': 't', 'timestamp': 7, 'causationId': '" + upper + "'}}",
                                Map.of())
                        .causationId())
                .isEqualTo(lower);
        assertThat(of("{'eventId': 'e', 'sagaId': '" + upper + "', 'eventType': 't', 'timestamp': 7}", Map.of())
                        .correlationId())
                .isEqualTo(lower);
        assertThat(of("{'eventId': 'e', 'eventType': 't', 'timestamp': 7}", Map.of("correlation-id", upper))
                        .correlationId())
                .as("a text of its own")
                .isEqualTo(upper);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{'metadata': {}}",
                "{'eventId': 'e', 'eventType': 't'}",
                "{'eventId': 'e', 'eventType': 't', 'timestamp': '7'}",
                "{'eventId': 'e', 'eventType': 't', 'timestamp': 99999999999999999999}"
            })
    void refusesAValueThatIsNotAnEvent(String value) {
        assertThatThrownBy(() -> of(value, Map.of())).isInstanceOf(ProblemException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'tenant': 5",
                "'tenant': true",
                "'tenant': {'a': 'b'}",
                "'tenant': ['a']",
                "'tenant': ' '",
                "'tenant': '\\t'",
                "'claims': {'tenant': 5}",
                "'claims': 'a'"
            })
    void refusesATenantThatNobodyCanName(String security) {
        assertThatThrownBy(() -> enveloped(", 'security': {'principal': 'p', " + security + "}"))
                .isInstanceOf(InvalidMetadataException.class);
        assertThatThrownBy(() -> enveloped(", 'security': 'default'")).isInstanceOf(InvalidMetadataException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\u2003", "\ufffd", "a\n", "\u0000"})
    void refusesAHeaderTenantThatNobodyCanName(String tenant) {
        assertThatThrownBy(() -> of("{'eventId': 'e', 'eventType': 't', 'timestamp': 7}", Map.of("tenant", tenant)))
                .isInstanceOf(InvalidMetadataException.class)
                .hasMessageStartingWith("the tenant is blank");
    }

    @Test
    void takesTheDefaultTenantForAnEmptyHeader() {
        assertThat(of("{'eventId': 'e', 'eventType': 't', 'timestamp': 7}", Map.of("tenant", ""))
                        .tenant())
                .isEqualTo("default");
    }

    @Test
    void ignoresAnUnusableLinkHeader() {
        for (String header : List.of("c".repeat(257), "a\nb", "\u0000", " ", "")) {
            assertThat(of(
                            "{'eventId': 'e-1', 'eventType': 't', 'timestamp': 7}",
                            Map.of("correlation-id", header, "causation-id", header)))
                    .isEqualTo(new EventMetadata("e-1", "t", 7, "e-1", null, "default"));
        }
    }

    private static EventMetadata enveloped(String more) {
        return of(
                "{'metadata': {'eventId': 'e-1', 'eventType': 't', 'timestamp': 7" + more + "}, 'payload': {}}",
                Map.of());
    }

    private static EventMetadata of(String value, Map<String, Object> headers) {
        return EventMetadata.of(read(value), read(value).has("metadata"), headers);
    }

    private static JsonNode read(String value) {
        return Json.readObject(value.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }
}
