package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks the links of the documentation, the way to each page, and the index of the decisions. */
class DocsTest {

    private static final Path INDEX = Path.of("docs/README.md");
    private static final Path DECISIONS = Path.of("docs/adr");
    private static final Path ROUTES = Path.of("src/main/resources/camel");
    private static final Set<String> SKIPPED = Set.of("target", ".git", "node_modules");
    /** GitHub shows it in the form for pull requests only. */
    private static final Path TEMPLATE = Path.of(".github/pull_request_template.md");

    private static final Pattern FENCED = Pattern.compile("^ *```.*?^ *```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern CODE = Pattern.compile("`[^`\n]*`");
    private static final Pattern LINK = Pattern.compile("]\\(<?([^)\\s>]+)>?(?: \"[^\"]*\")?\\)");
    private static final Pattern HEADING = Pattern.compile("^#+ +(.+)$", Pattern.MULTILINE);
    private static final Pattern DECISION =
            Pattern.compile("# (?<number>\\d+)\\. (?<title>.+)\n\nStatus: (?<status>.+) · Date: (?<date>.+)\n\n");
    private static final Pattern STATUS = Pattern.compile("proposed|accepted|superseded by \\[\\d+]\\(\\S+\\)");
    private static final Pattern LOCAL_PORT = Pattern.compile("localhost(?::| -p )(\\d+)");
    /** HTTP, management, Kafka, PostgreSQL, schema registry, token issuer, FHIR server. */
    private static final Set<Integer> SANDBOX_PORTS = Set.of(8080, 9876, 9092, 15432, 8081, 9000, 8090);

    private static final Pattern PAGE_IN_SOURCE = Pattern.compile("(?:docs|bench)/[\\w/.-]+\\.md(?:#[\\w-]+)?");

    static List<Path> pages() {
        return files(Path.of(""), ".md");
    }

    static List<Path> decisions() {
        return files(DECISIONS, ".md");
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(Path page) {
        assertThat(links(page)).allSatisfy(link -> assertResolves(resolve(page, link), anchor(link)));
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLocalAddressIsOfASandboxServer(Path page) {
        assertThat(LOCAL_PORT.matcher(read(page)).results().map(port -> Integer.valueOf(port.group(1))))
                .isSubsetOf(SANDBOX_PORTS);
    }

    @Test
    void everyPageThatTheSourcesNameExists() {
        for (Path source : sources()) {
            assertThat(PAGE_IN_SOURCE.matcher(read(source)).results().map(MatchResult::group))
                    .as(source.toString())
                    .allSatisfy(name -> assertResolves(Path.of(name.split("#")[0]), anchor(name)));
        }
    }

    @Test
    void theIndexLeadsToEveryPage() {
        Set<Path> reached = new HashSet<>(Set.of(INDEX));
        Queue<Path> toRead = new ArrayDeque<>(reached);
        while (!toRead.isEmpty()) {
            Path page = toRead.remove();
            links(page).stream()
                    .map(link -> resolve(page, link))
                    .filter(target -> target.toString().endsWith(".md") && reached.add(target))
                    .forEach(toRead::add);
        }

        Set<Path> missed = new TreeSet<>(pages());
        missed.removeAll(reached);
        missed.remove(TEMPLATE);
        assertThat(missed).isEmpty();
    }

    @Test
    void theReadmeShowsEveryPattern() {
        List<String> links = links(Path.of("README.md"));

        assertThat(files(ROUTES, ".camel.yaml")).isNotEmpty().allSatisfy(file -> {
            String word = file.getFileName().toString().replace(".camel.yaml", "");
            if (file.getParent().equals(ROUTES)) {
                assertThat(links).contains("docs/patterns/" + word + ".md", file.toString());
            }
        });
    }

    @ParameterizedTest
    @MethodSource("decisions")
    void theIndexHasEveryDecisionWithStatusAndDate(Path decision) {
        Matcher head = DECISION.matcher(read(decision));
        assertThat(head.lookingAt())
                .as("%s begins with # <number>. <title>, and a line Status: … · Date: …", decision)
                .isTrue();
        assertThat(head.group("status")).matches(STATUS);
        assertThat(head.group("date")).matches("\\d{4}-\\d\\d-\\d\\d");
        assertThat(decision.getFileName().toString())
                .startsWith("%04d-".formatted(Integer.parseInt(head.group("number"))));

        assertThat(read(INDEX).lines())
                .contains("| [%s](adr/%s) | %s | %s | %s |"
                        .formatted(
                                head.group("number"),
                                decision.getFileName(),
                                head.group("title"),
                                head.group("status"),
                                head.group("date")));
    }

    @ParameterizedTest
    @MethodSource("decisions")
    void aDecisionHasContextDecisionAndConsequences(Path decision) {
        assertThat(read(decision).lines()).containsSubsequence("## Context", "## Decision", "## Consequences");
    }

    private static void assertResolves(Path target, String anchor) {
        assertThat(target).exists();
        if (!anchor.isEmpty() && target.toString().endsWith(".md")) {
            assertThat(anchors(target)).as("anchors of " + target).contains(anchor);
        }
    }

    /** The links to files of the project; those to other sites are left out. */
    private static List<String> links(Path page) {
        String prose = CODE.matcher(FENCED.matcher(read(page)).replaceAll("")).replaceAll("");
        return LINK.matcher(prose)
                .results()
                .map(link -> link.group(1))
                .filter(link -> !link.matches("[a-z]+:.*"))
                .toList();
    }

    private static Path resolve(Path page, String link) {
        String path = link.split("#", 2)[0];
        return path.isEmpty() ? page : page.resolveSibling(path).normalize();
    }

    private static String anchor(String link) {
        return link.contains("#") ? link.split("#", 2)[1] : "";
    }

    /** As GitHub makes them of headings. */
    private static Set<String> anchors(Path page) {
        Set<String> anchors = new HashSet<>();
        Matcher heading = HEADING.matcher(FENCED.matcher(read(page)).replaceAll(""));
        while (heading.find()) {
            String text = heading.group(1).replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1");
            String anchor = text.toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\p{L}\\p{N}_ -]", "")
                    .replace(' ', '-');
            String unique = anchor;
            for (int i = 1; !anchors.add(unique); i++) {
                unique = anchor + "-" + i;
            }
        }
        return anchors;
    }

    private static List<Path> sources() {
        List<Path> sources =
                new ArrayList<>(List.of(Path.of("compose.yaml"), Path.of("Dockerfile"), Path.of("pom.xml")));
        for (String ending : List.of(".java", ".yaml", ".js", ".sql")) {
            sources.addAll(files(Path.of("src"), ending));
        }
        return sources;
    }

    private static List<Path> files(Path directory, String ending) {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : entries.sorted().toList()) {
                if (SKIPPED.contains(entry.getFileName().toString())) {
                    continue;
                }
                if (Files.isDirectory(entry)) {
                    found.addAll(files(entry, ending));
                } else if (entry.toString().endsWith(ending)) {
                    found.add(entry);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
