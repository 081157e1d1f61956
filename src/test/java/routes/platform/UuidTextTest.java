package routes.platform;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class UuidTextTest {

    @Test
    void writesAUuidInLowerCase() {
        assertThat(UuidText.normal("6F0F7A6E-3C0B-5C58-9A53-6F9F0E2B7A11"))
                .isEqualTo("6f0f7a6e-3c0b-5c58-9a53-6f9f0e2b7a11");
    }

    @Test
    void leavesOtherTextUnchanged() {
        assertThat(UuidText.normal("RX-7")).isEqualTo("RX-7");
        assertThat(UuidText.normal("6F0F7A6E3C0B5C589A536F9F0E2B7A11ABCD"))
                .isEqualTo("6F0F7A6E3C0B5C589A536F9F0E2B7A11ABCD");
        assertThat(UuidText.normal("")).isEmpty();
        assertThat(UuidText.normal(null)).isNull();
    }
}
