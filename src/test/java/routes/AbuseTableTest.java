package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks the rows of docs/abuse.md that other tests prove; {@link AbuseIT} sends the other rows. */
class AbuseTableTest {

    static Stream<AbuseTable.Elsewhere> elsewhere() {
        return AbuseTable.elsewhere();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("elsewhere")
    void namesAnExistingTest(AbuseTable.Elsewhere row) throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            Path file = files.filter(path -> path.endsWith(row.testClass() + ".java"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no test class " + row.testClass()));
            assertThat(Files.readString(file)).contains("void " + row.method() + "(");
        }
    }

    @Test
    void hasAtLeastSixtyRows() {
        assertThat(AbuseTable.requests().count() + AbuseTable.elsewhere().count())
                .isGreaterThanOrEqualTo(60);
    }
}
