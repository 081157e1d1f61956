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
final class RouteYaml {

    private static final Path DIRECTORY = Path.of("src/main/resources/camel");

    private RouteYaml() {}

    static List<Path> files() {
        try (Stream<Path> files = Files.walk(DIRECTORY)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A tree of YAML text. */
    static JsonNode read(String yaml) {
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
