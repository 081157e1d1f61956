package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the log lines and metrics that docs/operations/reference.md lists with the code. */
class QuotedTextsTest {

    private static final Path PAGE = Path.of("docs/operations/reference.md");
    private static final Pattern TABLE = Pattern.compile("## Log lines\n(.*?)\n## ", Pattern.DOTALL);
    private static final Pattern LINES = Pattern.compile("(?m)^\\| (`.*?) \\| ");
    private static final Pattern LINE = Pattern.compile("`([^`]+)`");
    private static final Pattern METRIC = Pattern.compile("`event_broker_([a-z_]+)`");

    private static final Pattern METER =
            Pattern.compile("(?:builder\\(\"|counter\\(\"|micrometer:counter:)event-broker\\.([a-z.]+[a-z])\\b");

    private static final String PLACEHOLDER = "<[^>]+>|…|: ";

    /** Kafka's clients log the first three; the code assembles the last. */
    private static final List<String> NOT_IN_ONE_PIECE =
            List.of("KafkaConsumer[", "Connection to node", "could not be established", "cannot be read from offset");

    static Stream<String> quotedLines() throws IOException {
        String page = Files.readString(PAGE);
        String table = TABLE.matcher(page).results().findFirst().orElseThrow().group(1);
        return LINES.matcher(table)
                .results()
                .flatMap(row -> LINE.matcher(row.group(1)).results())
                .map(MatchResult::group)
                .map(line -> line.replace("`", ""));
    }

    @ParameterizedTest
    @MethodSource("quotedLines")
    void theCodeLogsTheQuotedLine(String line) throws IOException {
        String code = code();
        for (String part : line.split(PLACEHOLDER)) {
            String words = part.replaceAll("^[^\\p{L}]+|[^\\p{L}\\[]+$", "");
            if (words.length() > 2 && !NOT_IN_ONE_PIECE.contains(words)) {
                assertThat(code.contains(words))
                        .as("the code logs \"%s\" of \"%s\"", words, line)
                        .isTrue();
            }
        }
    }

    static Stream<String> listedMetrics() throws IOException {
        return METRIC.matcher(Files.readString(PAGE)).results().map(metric -> metric.group(1));
    }

    @ParameterizedTest
    @MethodSource("listedMetrics")
    void theCodeHasTheListedMetric(String metric) throws IOException {
        List<String> words =
                List.of(metric.replaceFirst("_(total|seconds)$", "").split("_"));
        String code = code();

        boolean inOnePiece = has(code, "\\bevent-broker[.]%s(?![.-])", words);
        boolean inTwoPieces = IntStream.range(1, words.size())
                .anyMatch(end -> has(code, "\"event-broker[.]%s[.]\" [+] ", words.subList(0, end))
                        && has(code, "\"%s\"", words.subList(end, words.size())));
        assertThat(inOnePiece || inTwoPieces).as(metric).isTrue();
    }

    private static boolean has(String code, String text, List<String> words) {
        return Pattern.compile(text.formatted(String.join("[.-]", words)))
                .matcher(code)
                .find();
    }

    static Stream<String> meters() throws IOException {
        return METER.matcher(code()).results().map(meter -> meter.group(1));
    }

    @ParameterizedTest
    @MethodSource("meters")
    void thePageListsTheMetric(String meter) throws IOException {
        assertThat(Files.readString(PAGE)).contains("`event_broker_" + meter.replace('.', '_'));
    }

    private static String code() throws IOException {
        List<String> texts = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main"))) {
            for (Path file : files.filter(file -> file.toString().matches(".*\\.(java|camel\\.yaml)"))
                    .toList()) {
                texts.add(Files.readString(file));
            }
        }
        return String.join("\n", texts);
    }
}
