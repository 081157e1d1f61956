package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.Json;
import routes.platform.error.ProblemException;

class ReprocessRequestTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                """
                        {"rate":1,"reason":"r"}""",
                """
                        {"status":"NEW"}""",
                """
                        {"topic":null,"key":null}""",
                """
                        {"all":false}""",
                """
                        {"all":null}"""
            })
    void takesNoOrderThatNamesNoLetters(String order) {
        assertThatThrownBy(() -> order(order))
                .isInstanceOf(ProblemException.class)
                .hasMessage(
                        "no dead letters are selected: give one or more of topic, errorClass, key, keySha256, from, to, or \"all\": true for every NEW dead letter of the tenant");
    }

    @Test
    void selectsAllDeadLettersOnlyOnDemand() {
        ReprocessRequest order = order("""
                {"all":true,"status":"NEW"}""");

        assertThat(order.filter().isSelective()).isFalse();
        assertThat(order.rate()).isEqualTo(100);
    }

    @Test
    void rejectsAFilterBesideAll() {
        assertThatThrownBy(() -> order("""
                {"all":true,"topic":"t"}"""))
                .hasMessage("/all: is true, although there is a filter: omit one of them");
    }

    private static ReprocessRequest order(String json) {
        return ReprocessRequest.of(Json.readObject(json.getBytes(StandardCharsets.UTF_8)), 100);
    }
}
