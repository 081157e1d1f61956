package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads the rows of docs/abuse.md, which describes their format. */
final class AbuseTable {

    private static final Path PAGE = Path.of("docs/abuse.md");
    private static final Pattern CELL = Pattern.compile("(?<!\\\\)\\|");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`([^`]*)");
    private static final Pattern REQUEST_LINE = Pattern.compile("[A-Z]+ \\S.*");
    private static final Pattern HEADER = Pattern.compile("[A-Za-z-]+:.*");
    private static final Pattern TIMES = Pattern.compile("\\s*×\\s*([\\d,]+).*");
    private static final Pattern CHARSET = Pattern.compile("\\s*in (\\S+).*");
    private static final Pattern BYTE = Pattern.compile("\\\\x([0-9a-f]{2})");
    private static final Pattern TEST = Pattern.compile("(\\w+)\\.(\\w+)");

    private AbuseTable() {}

    /**
     * A row that is one request.
     *
     * @param tried the name of the attack or mistake
     * @param isManagement whether it goes to the management port
     * @param line method and target
     * @param headers by name; the test adds its defaults
     * @param status of the answer
     * @param contains texts of the answer's head or body
     */
    record Row(
            String tried,
            boolean isManagement,
            String line,
            Map<String, String> headers,
            byte[] body,
            int status,
            List<String> contains) {

        @Override
        public String toString() {
            return tried;
        }
    }

    /** A row that needs more than one request, with its test. */
    record Elsewhere(String tried, String testClass, String method) {

        @Override
        public String toString() {
            return tried;
        }
    }

    static Stream<Row> requests() {
        return cells().filter(AbuseTable::isRequest).map(AbuseTable::row);
    }

    static Stream<Elsewhere> elsewhere() {
        return cells().filter(cells -> !isRequest(cells)).map(cells -> {
            List<String> code = code(cells.get(2)).stream().map(Code::text).toList();
            Matcher test = TEST.matcher(code.isEmpty() ? "" : code.get(code.size() - 1));
            assertThat(test.matches())
                    .as("the row '%s' ends with a test, such as `AccessControlIT.records`", cells.get(0))
                    .isTrue();
            return new Elsewhere(cells.get(0), test.group(1), test.group(2));
        });
    }

    private static boolean isRequest(List<String> cells) {
        return code(cells.get(1)).stream()
                .findFirst()
                .filter(code -> REQUEST_LINE.matcher(code.text()).matches())
                .isPresent();
    }

    /** The cells of each row. */
    private static Stream<List<String>> cells() {
        try {
            return Files.readAllLines(PAGE).stream()
                    .filter(line -> line.startsWith("|"))
                    .map(line -> Stream.of(CELL.split(line.substring(1)))
                            .map(cell -> cell.strip().replace("\\|", "|"))
                            .toList())
                    .filter(cells ->
                            !cells.get(0).equals("Tried") && !cells.get(0).startsWith("---"))
                    .peek(cells -> assertThat(cells).as("a row has three cells").hasSize(3));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Row row(List<String> cells) {
        List<Code> sent = code(cells.get(1));
        Map<String, String> headers = new LinkedHashMap<>();
        byte[] body = {};
        for (Code code : sent.subList(1, sent.size())) {
            if (body.length == 0 && HEADER.matcher(code.text()).matches()) {
                int colon = code.text().indexOf(':');
                headers.put(
                        code.text().substring(0, colon),
                        code.repeated(code.text().substring(colon + 1).strip()));
            } else {
                body = code.bytes();
            }
        }
        String answered = cells.get(2);
        return new Row(
                cells.get(0),
                cells.get(1).startsWith("management port"),
                sent.get(0).repeated(sent.get(0).text()),
                headers,
                body,
                Integer.parseInt(answered.substring(0, 3)),
                code(answered).stream().map(Code::text).toList());
    }

    private static List<Code> code(String cell) {
        List<Code> code = new ArrayList<>();
        for (Matcher matcher = CODE.matcher(cell); matcher.find(); ) {
            code.add(new Code(matcher.group(1), matcher.group(2)));
        }
        return code;
    }

    /** @param behind the text up to the next piece of code */
    private record Code(String text, String behind) {

        /** {@code × 1000} repeats the last character. */
        String repeated(String what) {
            Matcher times = TIMES.matcher(behind);
            if (!times.matches()) {
                return what;
            }
            int n = Integer.parseInt(times.group(1).replace(",", ""));
            return what.substring(0, what.length() - 1)
                    + what.substring(what.length() - 1).repeat(n);
        }

        byte[] bytes() {
            Matcher times = TIMES.matcher(behind);
            Matcher charset = CHARSET.matcher(behind);
            String repeated = times.matches()
                    ? text.repeat(Integer.parseInt(times.group(1).replace(",", "")))
                    : text;
            String lines = repeated.replace("\\n", "\n");
            if (charset.matches()) {
                return lines.getBytes(Charset.forName(charset.group(1)));
            }
            // \xc1 is one byte
            byte[] utf8 = lines.getBytes(StandardCharsets.UTF_8);
            String latin1 = BYTE.matcher(new String(utf8, StandardCharsets.ISO_8859_1))
                    .replaceAll(found ->
                            Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(found.group(1), 16))));
            return latin1.getBytes(StandardCharsets.ISO_8859_1);
        }
    }
}
