package routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.core.io.ClassPathResource;

/** The route files as text and trees, for tests that hold conventions. */
public final class RouteYaml {

    private static final Path DIRECTORY = Path.of("src/main/resources/camel");

    /** Lists of steps, each a map of one entry. */
    private static final Set<String> STEPS = Set.of("steps", "onException");

    private static final Set<String> BRANCHES = Set.of("when", "otherwise", "doCatch", "doFinally");

    private RouteYaml() {}

    static List<Path> files() {
        return files(DIRECTORY);
    }

    /** The route files of tests, but for those that are wrong on purpose. */
    static List<Path> testFiles() {
        return files(Path.of("src/test/resources")).stream()
                .filter(file -> file.toString().endsWith(".camel.yaml"))
                .filter(file -> !file.getParent().endsWith("invalid"))
                .toList();
    }

    private static List<Path> files(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A tree of YAML text, or of JSON. */
    public static JsonNode read(String yaml) {
        try {
            return new ObjectMapper(new YAMLFactory()).readTree(yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The body of every {@code route} of every file. */
    static List<JsonNode> routes() {
        return files().stream().flatMap(file -> routes(file).stream()).toList();
    }

    static List<JsonNode> routes(Path file) {
        return bodies(file, Set.of("route"));
    }

    /** The bodies of all routes and route configurations of a file. */
    static List<JsonNode> entities(Path file) {
        return bodies(file, Set.of("route", "routeConfiguration"));
    }

    /**
     * Everything that the visual editor shows as a box: steps, the branches of a choice or of a try, and error
     * handlers.
     *
     * @param node a route, a route configuration, or anything in one
     */
    static List<JsonNode> steps(JsonNode node) {
        List<JsonNode> steps = new ArrayList<>();
        node.fields().forEachRemaining(field -> {
            JsonNode value = field.getValue();
            if (BRANCHES.contains(field.getKey())) {
                (value.isArray() ? value : List.of(value)).forEach(steps::add);
            } else if (STEPS.contains(field.getKey()) && value.isArray()) {
                value.forEach(step -> step.forEach(steps::add));
            }
        });
        List<JsonNode> all = new ArrayList<>(steps);
        node.forEach(child -> all.addAll(steps(child)));
        return all;
    }

    /** {@code application.yaml}. */
    static Properties settings() {
        YamlPropertiesFactoryBean yaml = new YamlPropertiesFactoryBean();
        yaml.setResources(new ClassPathResource("application.yaml"));
        // a value that is not text in YAML is not text here either
        Properties settings = new Properties();
        yaml.getObject().forEach((name, value) -> settings.setProperty(name.toString(), value.toString()));
        return settings;
    }

    private static List<JsonNode> bodies(Path file, Set<String> kinds) {
        List<JsonNode> bodies = new ArrayList<>();
        try {
            new ObjectMapper(new YAMLFactory()).readTree(file.toFile()).forEach(entity -> entity.fields()
                    .forEachRemaining(field -> {
                        if (kinds.contains(field.getKey())) {
                            bodies.add(field.getValue());
                        }
                    }));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bodies;
    }
}
