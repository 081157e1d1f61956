package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The house style of route files. */
class RouteStyleTest {

    private static final Set<String> PATTERNS =
            Set.of("pubsub", "eventsourcing", "cqrs", "saga", "deadletter", "fhir", "priorauth", "consent");

    static List<Path> files() {
        return RouteYaml.files();
    }

    @ParameterizedTest
    @MethodSource("files")
    void aFileIsNamedAfterItsPatternOrShared(Path file) {
        String word = file.getFileName().toString().replace(".camel.yaml", "");
        assertThat(file.toString()).endsWith(".camel.yaml");
        if (!file.getParent().endsWith("shared")) {
            assertThat(PATTERNS).contains(word);
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aRouteSaysWhatItIs(Path file) {
        String word = file.getFileName().toString().replace(".camel.yaml", "");
        for (JsonNode route : RouteYaml.routes(file)) {
            String id = route.path("id").asText();
            assertThat(id).matches(word + "-[a-z]+(-[a-z]+)*");
            assertThat(route.path("group").asText()).as("group of %s", id).isEqualTo(word);
            assertThat(route.path("description").asText())
                    .as("description of %s", id)
                    .isNotBlank();
            assertThat(route.path("routeConfigurationId").asText())
                    .as("error policy of %s", id)
                    .isIn("consumer", "http", "handed-over");
        }
    }

    /** Visual editors drop comments when they save: reasons go into {@code note} and {@code description}. */
    @ParameterizedTest
    @MethodSource("files")
    void thereAreNoCommentsBetweenTheSteps(Path file) throws IOException {
        assertThat(Files.readAllLines(file))
                .noneMatch(line -> line.stripLeading().startsWith("#"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void aUriIsSchemeAndPathAndItsOptionsAreParameters(Path file) {
        for (JsonNode route : RouteYaml.routes(file)) {
            assertThat(route.findValuesAsText("uri"))
                    .allSatisfy(uri -> assertThat(uri).doesNotContain("?"));
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aPatternSwitchesOffAsAWhole(Path file) {
        for (JsonNode route : RouteYaml.routes(file)) {
            if (!route.path("routeConfigurationId").asText().equals("handed-over")) {
                assertThat(route.path("autoStartup").asText())
                        .as("autoStartup of %s", route.path("id").asText())
                        .isEqualTo("{{event-broker." + route.path("group").asText() + ".enabled}}");
            }
        }
    }

    @Test
    void idsOfRoutesAndStepsAreUnique() {
        Set<String> seen = new HashSet<>();
        for (Path file : files()) {
            for (JsonNode route : RouteYaml.routes(file)) {
                assertThat(route.findValuesAsText("id"))
                        .allSatisfy(id -> assertThat(seen.add(id)).as(id).isTrue());
            }
        }
    }

    /** A pattern hands its messages to its own routes only; to another pattern it speaks through topics. */
    @ParameterizedTest
    @MethodSource("files")
    void routesOfAPatternCallOnlyEachOther(Path file) {
        String word = file.getFileName().toString().replace(".camel.yaml", "");
        for (JsonNode route : RouteYaml.routes(file)) {
            assertThat(route.path("from").path("steps").findValuesAsText("uri"))
                    .filteredOn(uri -> uri.startsWith("direct:"))
                    .allSatisfy(uri -> assertThat(uri).startsWith("direct:" + word + "-"));
        }
    }
}
