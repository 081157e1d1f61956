package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
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
            assertThat(route.path("description").asText().split(" "))
                    .as("description of %s", id)
                    .hasSizeBetween(5, 25);
            if (route.path("routeConfigurationId").asText().equals("http")) {
                assertThat(route.path("description").asText())
                        .as("description of %s", id)
                        .matches("Answers (GET|POST|PUT|DELETE|every request below) /\\S+ .+");
            }
            assertThat(route.path("routeConfigurationId").asText())
                    .as("error policy of %s", id)
                    .isIn("consumer", "http", "scheduled", "sub-route");
        }
    }

    /** The visual editor keeps comments at the top alone: reasons go into {@code note} and {@code description}. */
    @ParameterizedTest
    @MethodSource("files")
    void opensWithOneCommentThatLinksAPage(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        Matcher link = Pattern.compile("# .+: (docs/\\S+\\.md)").matcher(lines.get(0));
        assertThat(link.matches()).as(lines.get(0)).isTrue();
        assertThat(Path.of(link.group(1))).exists();
        assertThat(lines.subList(1, lines.size()))
                .noneMatch(line -> line.stripLeading().startsWith("#"));
    }

    /** The visual editor shows the description of a step before its id and its URI. */
    @ParameterizedTest
    @MethodSource("files")
    void describesEachStepInTwoToFiveWords(Path file) {
        for (JsonNode entity : RouteYaml.entities(file)) {
            for (JsonNode step : RouteYaml.steps(entity)) {
                assertThat(step.path("description").asText())
                        .as(
                                "description of two to five words, the first with a capital, of step %s in %s (%s)",
                                step, entity.path("id").asText(), file)
                        .matches("[A-Z0-9]\\S*( \\S+){1,4}(?<!\\.)");
            }
        }
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
            if (!route.path("routeConfigurationId").asText().equals("sub-route")) {
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

    /** Or those who only read would find no thread while the broker is away. */
    @Test
    void aRequestWaitsForTheBrokerWithFewOthersAndNotForLong() {
        Map<String, JsonNode> routes = RouteYaml.routes().stream()
                .collect(Collectors.toMap(route -> route.at("/from/uri").asText(), route -> route, (one, same) -> one));
        for (JsonNode entry : RouteYaml.routes()) {
            if (!entry.path("routeConfigurationId").asText().equals("http")) {
                continue;
            }
            Set<JsonNode> reached = new HashSet<>(Set.of(entry));
            for (int before = 0; before != reached.size(); ) {
                before = reached.size();
                List.copyOf(reached).stream()
                        .flatMap(route -> route.path("from").path("steps").findValuesAsText("uri").stream())
                        .map(routes::get)
                        .filter(Objects::nonNull)
                        .forEach(reached::add);
            }
            List<JsonNode> sends = reached.stream()
                    .flatMap(route -> route.path("from").path("steps").findParents("uri").stream())
                    .filter(step -> step.path("uri").asText().startsWith("kafka:"))
                    .toList();
            assertThat(sends).allSatisfy(step -> assertThat(
                            step.at("/parameters/deliveryTimeoutMs").asText())
                    .isEqualTo("{{event-broker.http.delivery-timeout-ms}}"));
            if (!sends.isEmpty()) {
                assertThat(reached).as(entry.path("id").asText()).anyMatch(route -> route.findValuesAsText("ref")
                        .contains("brokerBulkhead"));
            }
        }
    }

    /** Policies are routes too, as far as they send and retry. */
    @ParameterizedTest
    @EnumSource
    void noRouteFallsIntoATrap(RouteTrap trap) {
        assertThat(trap.isIn(trap.example()))
                .as("%s is found in its example", trap)
                .isTrue();
        for (Path file : files()) {
            for (JsonNode entity : RouteYaml.entities(file)) {
                assertThat(trap.isIn(entity))
                        .as("%s in %s of %s", trap, entity.path("id").asText(), file)
                        .isFalse();
            }
        }
    }

    /** What the platform sets for all routes, and why a route need not. */
    @ParameterizedTest
    @CsvSource({
        "camel.main.stream-caching-enabled, false",
        "camel.component.kafka.key-deserializer, org.apache.kafka.common.serialization.ByteArrayDeserializer",
        "camel.component.kafka.value-deserializer, org.apache.kafka.common.serialization.ByteArrayDeserializer",
        "camel.component.kafka.key-serializer, org.apache.kafka.common.serialization.ByteArraySerializer",
        "camel.component.kafka.value-serializer, org.apache.kafka.common.serialization.ByteArraySerializer",
        "camel.component.kafka.header-filter-strategy, #bean:recordHeaderAllowList",
        "camel.component.kafka.auto-offset-reset, earliest",
        "camel.component.kafka.request-required-acks, all",
        "camel.component.kafka.enable-idempotence, true",
        "camel.component.platform-http.header-filter-strategy, #bean:requestHeaderAllowList"
    })
    void thePlatformHasDefaultsThatLoseNothing(String property, String value) {
        assertThat(RouteYaml.settings().getProperty(property)).isEqualTo(value);
    }

    @Test
    void thePlatformSendsInBatchesAndFindsItsRoutesInAJar() {
        Properties settings = RouteYaml.settings();
        assertThat(Integer.parseInt(settings.getProperty("camel.component.kafka.producer-batch-size")))
                .isGreaterThanOrEqualTo(64 * 1024);
        assertThat(Integer.parseInt(settings.getProperty("camel.component.kafka.linger-ms")))
                .isLessThan(5);
        assertThat(Integer.parseInt(settings.getProperty("camel.component.kafka.max-in-flight-request")))
                .isBetween(2, 5);
        assertThat(settings.getProperty("camel.main.routes-include-pattern")).doesNotContain("**");
    }
}
