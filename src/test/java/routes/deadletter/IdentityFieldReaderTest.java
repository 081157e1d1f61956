package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdentityFieldReaderTest {

    @Test
    void findsTheTenantOfALargeValue() {
        String value =
                """
                {"payload":{"metadata":{"security":{"tenant":"wrong"}},"tenant":"wrong","x":[%s{}]},"eventId":[["wrong"]],
                 "metadata":{"tags":[{"tenant":"wrong"}],"eventId":"e","security":{"claims":{"tenant":"claimed"},"tenant":"named"}}}"""
                        .formatted("{},".repeat(1_000_000));

        EventIdentity envelope = EventIdentity.of(IdentityFieldReader.read(bytes(value), ""), true);

        assertThat(envelope.eventId()).hasValue("e");
        assertThat(envelope.tenant()).hasValue("named");
    }

    @Test
    void readsFlatValues() {
        EventIdentity envelope = EventIdentity.of(
                IdentityFieldReader.read(
                        bytes("""
                        {"payload":{"eventId":"no"},"eventId":"yes"}"""), ""),
                false);

        assertThat(envelope.eventId()).hasValue("yes");
    }

    @Test
    void readsTheRecordKeyToo() {
        byte[] value = bytes("""
                {"payload":{"name":"no","id":"rx-1"},"id":"no"}""");

        assertThat(IdentityFieldReader.read(value, "/payload/id"))
                .hasToString("""
                        {"payload":{"id":"rx-1"}}""");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no",
                "[]",
                "{}",
                """
                        {"metadata":{"security":{"tenant":{"a":1}}}}""",
                "{\"metadata\":{\"security\":{\"tenant\":\"t\"}},\"payload\":",
                """
                        {"metadata":{"security":{"tenant":"t","tenant":"u"}}}"""
            })
    void findsNothingInWhatHasNoneOrIsNoJson(String value) {
        assertThat(EventIdentity.of(IdentityFieldReader.read(bytes(value), ""), true)
                        .tenant())
                .isEmpty();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
