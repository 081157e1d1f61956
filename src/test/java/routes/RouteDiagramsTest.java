package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Keeps the pictures on the pattern pages in step with the route files. */
class RouteDiagramsTest {

    private static final String BEGIN = "<!-- routes: begin -->\n";
    private static final String END = "<!-- routes: end -->\n";
    private static final String HEADING =
            """

            ## The routes

            Drawn from [%1$s](../../src/main/resources/camel/%1$s). A frame is a route, or a step with steps in it.
            A dotted arrow calls another route; a thick arrow hands it a record through a topic.

            """;
    private static final String COMMAND = "./mvnw test -Dtest=RouteDiagramsTest -Dwrite";

    static List<Path> patterns() {
        return RouteYaml.files().stream()
                .filter(file -> !RouteYaml.routes(file).isEmpty())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("patterns")
    void thePatternPageDrawsEveryRoute(Path file) throws IOException {
        List<JsonNode> routes = RouteYaml.routes(file);
        String word = routes.get(0).path("group").asText();
        Path path = Path.of("docs/patterns", word + ".md");
        String page = Files.readString(path);
        assertThat(page).as("%s has the markers", path).contains(BEGIN, END);

        String drawn = page.substring(0, page.indexOf(BEGIN) + BEGIN.length())
                + HEADING.formatted(file.getFileName())
                + RouteDiagram.markdown(routes)
                + page.substring(page.indexOf(END));

        if (System.getProperty("write") != null) {
            Files.writeString(path, drawn);
            return;
        }
        assertThat(routes).allSatisfy(route -> assertThat(drawn)
                .contains("subgraph " + route.path("id").asText() + "["));
        assertThat(page.equals(drawn))
                .as("%s shows the routes of %s; if not, draw them with: %s", path, file, COMMAND)
                .isTrue();
    }
}
