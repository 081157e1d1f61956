package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.util.PropertyPlaceholderHelper;
import routes.platform.contract.AsyncApi;

/**
 * Every value that has ever been written to a topic can be read with the schema of today.
 * {@code schemas/history/<subject>/v<N>.avsc} is what was released; docs/change-a-schema.md says how to change one.
 */
class SchemaHistoryTest {

    private static final Path SCHEMAS = Path.of("schemas");
    private static final PropertyPlaceholderHelper PLACEHOLDERS = new PropertyPlaceholderHelper("{{", "}}");

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));

    static List<String> subjects() throws IOException {
        try (Stream<Path> files = Files.list(SCHEMAS)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".avsc"))
                    .map(name -> name.replace(".avsc", ""))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void readsEveryVersionThatWasReleased(String subject) {
        assertThat(problems(subject, text(SCHEMAS.resolve(subject + ".avsc")), history(subject)))
                .isEmpty();
    }

    @Test
    void namesTheSubjectThePlaceAndTheRoutesOfAnIncompatibleChange() {
        List<String> history = history("patient-events-value");
        String current = history.get(0)
                .replace(
                        "{ \"name\": \"language\", \"type\": [\"null\", \"string\"], \"default\": null,",
                        "{ \"name\": \"language\", \"type\": \"int\",");

        assertThat(problems("patient-events-value", current, history))
                .first()
                .asString()
                .isEqualTo(
                        """
                        subject patient-events-value: schemas/patient-events-value.avsc cannot read what was written with v1
                          payload.language (/fields/1/type/fields/7/type/0): TYPE_MISMATCH, reader type: INT not compatible with writer type: NULL
                          payload.language (/fields/1/type/fields/7/type/1): TYPE_MISMATCH, reader type: INT not compatible with writer type: STRING
                        read or written by the routes %s; see docs/change-a-schema.md"""
                                .formatted(routes("patient-events-value")));
        assertThat(routes("patient-events-value")).contains("eventsourcing-append-record", "pubsub-consume-activity");
    }

    @Test
    void refusesAFieldThatAnyVersionInItsHistoryCannotRead() {
        String released = record("{\"name\":\"a\",\"type\":\"string\"}");
        String next = record("{\"name\":\"a\",\"type\":\"string\",\"default\":\"\"}");
        String last = record("{\"name\":\"b\",\"type\":\"string\",\"default\":\"\"}");

        assertThat(problems("s", record("{\"name\":\"c\",\"type\":\"string\"}"), List.of(released)))
                .first()
                .asString()
                .contains("  c (/fields/0): READER_FIELD_MISSING_DEFAULT_VALUE, c");
        assertThat(problems("s", released, List.of(released, next, last, released)))
                .as("can read the last version, and not the one before it")
                .singleElement()
                .asString()
                .contains("cannot read what was written with v3");
        assertThat(problems("s", last, List.of(released, next, last))).isEmpty();
    }

    @Test
    void saysWhereAChangeHasToBeReleased() {
        String released = record("{\"name\":\"a\",\"type\":\"string\"}");
        String changed = released.replace("\"string\"", "\"string\",\"doc\":\"a\"");

        assertThat(problems("s", changed, List.of(released)))
                .containsExactly(
                        "subject s: schemas/s.avsc is not the newest version in its history: copy it to schemas/history/s/v2.avsc");
        assertThat(problems("s", released, List.of()))
                .containsExactly(
                        "subject s: schemas/s.avsc is not the newest version in its history: copy it to schemas/history/s/v1.avsc");
    }

    /**
     * Each subject has its own namespace, so that the classes do not collide; what an event says about itself is the
     * same in all.
     */
    @ParameterizedTest
    @MethodSource("subjects")
    void hasTheMetadataOfAllEvents(String subject) throws IOException {
        Schema schema = new Schema.Parser().parse(text(SCHEMAS.resolve(subject + ".avsc")));
        Schema first = new Schema.Parser().parse(text(SCHEMAS.resolve(subjects().get(0) + ".avsc")));

        assertThat(metadata(schema)).isEqualTo(metadata(first));
        Set<String> json = new HashSet<>();
        new ObjectMapper()
                .readTree(text(SCHEMAS.resolve("metadata.json")))
                .path("properties")
                .fieldNames()
                .forEachRemaining(json::add);
        assertThat(schema.getField("metadata").schema().getFields())
                .extracting(Schema.Field::name)
                .containsExactlyInAnyOrderElementsOf(json);
    }

    private static String metadata(Schema schema) {
        return schema.getField("metadata").schema().toString().replace(schema.getNamespace(), "");
    }

    /** @param history from v1 on */
    private List<String> problems(String subject, String current, List<String> history) {
        List<String> problems = new ArrayList<>();
        for (int version = 1; version <= history.size(); version++) {
            List<SchemaCompatibility.Incompatibility> incompatible = SchemaCompatibility.checkReaderWriterCompatibility(
                            new Schema.Parser().parse(current), new Schema.Parser().parse(history.get(version - 1)))
                    .getResult()
                    .getIncompatibilities();
            if (!incompatible.isEmpty()) {
                problems.add(
                        """
                        subject %s: schemas/%s.avsc cannot read what was written with v%d
                        %sread or written by the routes %s; see docs/change-a-schema.md"""
                                .formatted(
                                        subject,
                                        subject,
                                        version,
                                        incompatible.stream()
                                                .map(why -> "  %s (%s): %s, %s%n"
                                                        .formatted(
                                                                field(current, why.getLocation()),
                                                                why.getLocation(),
                                                                why.getType(),
                                                                why.getMessage()))
                                                .collect(Collectors.joining()),
                                        routes(subject)));
            }
        }
        if (history.isEmpty() || !history.get(history.size() - 1).equals(current)) {
            problems.add(
                    "subject %s: schemas/%s.avsc is not the newest version in its history: copy it to schemas/history/%s/v%d.avsc"
                            .formatted(subject, subject, subject, history.size() + 1));
        }
        return problems;
    }

    /** The path of the field that a place is in, such as {@code payload.language}. */
    private static String field(String schema, String pointer) {
        List<String> names = new ArrayList<>();
        try {
            JsonNode node = new ObjectMapper().readTree(schema);
            for (String part : pointer.substring(1).split("/")) {
                boolean isField = node.isArray() && node.path(0).has("name");
                node = node.isArray() ? node.path(Integer.parseInt(part)) : node.path(part);
                if (isField) {
                    names.add(node.path("name").asText());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return String.join(".", names);
    }

    /** Ids of the routes that read or write a topic of the subject. */
    private String routes(String subject) {
        Set<String> topics = contract.channels().stream()
                .filter(channel ->
                        channel.avro() != null && channel.avro().subject().equals(subject))
                .map(channel -> channel.topic())
                .collect(Collectors.toSet());
        return RouteYaml.routes().stream()
                .filter(route -> route.findValues("to").stream()
                                .map(to -> to.path("uri").asText())
                                .anyMatch(uri -> topics.contains(uri.replaceFirst("^(kafka|outbox):", "")))
                        || reads(route, topics))
                .map(route -> route.path("id").asText())
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private static boolean reads(JsonNode route, Set<String> topics) {
        String from = route.at("/from/uri").asText();
        if (!from.startsWith("kafka:")) {
            return false;
        }
        Properties settings = RouteYaml.settings();
        String read = PLACEHOLDERS.replacePlaceholders(from.replace("kafka:", ""), settings);
        return route.at("/from/parameters/topicIsPattern").asBoolean()
                ? topics.stream().anyMatch(topic -> Pattern.matches(read, topic))
                : Stream.of(read.split(",")).anyMatch(topics::contains);
    }

    private static List<String> history(String subject) {
        List<String> versions = new ArrayList<>();
        Path directory = SCHEMAS.resolve("history").resolve(subject);
        while (Files.exists(directory.resolve("v" + (versions.size() + 1) + ".avsc"))) {
            versions.add(text(directory.resolve("v" + (versions.size() + 1) + ".avsc")));
        }
        return versions;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String record(String field) {
        return "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" + field + "]}";
    }
}
