package routes.platform;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NameBasedUuidTest {

    @Test
    void isTheSameForTheSameNameInEveryRelease() {
        assertThat(NameBasedUuid.of("Patient", "1", "2")).hasToString("9c096089-8073-55cd-9842-f6bbd969835a");
    }

    @Test
    void isAVersion5Uuid() {
        assertThat(NameBasedUuid.of("a").version()).isEqualTo(5);
        assertThat(NameBasedUuid.of("a").variant()).isEqualTo(2);
    }

    @Test
    void dependsOnTheBoundariesOfItsParts() {
        assertThat(NameBasedUuid.of("ab", "c")).isNotEqualTo(NameBasedUuid.of("a", "bc"));
    }
}
