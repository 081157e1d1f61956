package language;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the language rules of CONTRIBUTING.md over pages, descriptions and Javadoc: no sentence over 25 words, and none
 * of the expressions in {@code language/words.txt}. {@code -Dlanguage.in=docs/adr} checks a part.
 */
class PlainEnglishTest {

    private static final int MOST_WORDS = 25;

    private static final List<Path> PROSE = List.of(
            Path.of("README.md"),
            Path.of("CHANGELOG.md"),
            Path.of("CONTRIBUTING.md"),
            Path.of("SECURITY.md"),
            Path.of("bench"),
            Path.of("docs"),
            Path.of("src/main/resources/camel"),
            Path.of("src/main/resources/contract"),
            Path.of("src/main/java"));

    /** An expression that readers stumble over. */
    private record Stumble(Pattern expression, String advice) {

        static Stumble of(String line) {
            String[] parts = line.split(" => ", 2);
            return new Stumble(Pattern.compile(parts[0], Pattern.CASE_INSENSITIVE), parts[1]);
        }
    }

    @Test
    void hasNoSentenceOver25Words() {
        assertThat(sentences()
                        .filter(sentence -> sentence.words() > MOST_WORDS)
                        .map(sentence -> sentence.words() + " words: " + sentence))
                .isEmpty();
    }

    @Test
    void hasNoExpressionThatReadersStumbleOver() throws IOException {
        List<Stumble> stumbles;
        try (Stream<String> lines = Files.lines(Path.of("src/test/resources/language/words.txt"))) {
            stumbles = lines.filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(Stumble::of)
                    .toList();
        }
        List<String> found = new ArrayList<>();
        sentences().forEach(sentence -> stumbles.stream()
                .filter(stumble -> stumble.expression().matcher(sentence.text()).find())
                .forEach(stumble -> found.add(stumble.advice() + " ← " + sentence)));

        assertThat(found).isEmpty();
    }

    private static Stream<Sentence> sentences() {
        String part = System.getProperty("language.in", "");
        return PROSE.stream()
                .flatMap(PlainEnglishTest::files)
                .filter(file -> file.toString().startsWith(part))
                .flatMap(file -> Prose.of(file).stream());
    }

    private static Stream<Path> files(Path path) {
        try (Stream<Path> files = Files.walk(path)) {
            return files.filter(file -> file.toString().matches(".*\\.(md|yaml|java)")).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
