package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the limits that keep sources readable. */
class SourceStyleTest {

    private static final int MOST_LINES = 350;
    private static final int MOST_LETTERS = 60;
    private static final Pattern TEST_METHOD = Pattern.compile("(?m)^    (?:public )?void (\\w+)\\(");

    @Test
    void noClassHasMoreThan350Lines() {
        assertThat(sources("src/main/java"))
                .filteredOn(file -> text(file).lines().count() > MOST_LINES)
                .isEmpty();
    }

    @Test
    void noTestHasANameOfMoreThan60Letters() {
        assertThat(sources("src/test/java").stream()
                        .flatMap(file -> TEST_METHOD.matcher(text(file)).results())
                        .map(method -> method.group(1)))
                .filteredOn(name -> name.length() > MOST_LETTERS)
                .isEmpty();
    }

    private static List<Path> sources(String directory) {
        try (Stream<Path> files = Files.walk(Path.of(directory))) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
