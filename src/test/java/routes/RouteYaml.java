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
import java.util.stream.Stream;

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

    /** The body of every {@code route} of every file. */
    static List<JsonNode> routes() {
        return files().stream().flatMap(file -> routes(file).stream()).toList();
    }

    static List<JsonNode> routes(Path file) {
        List<JsonNode> routes = new ArrayList<>();
        try {
            new ObjectMapper(new YAMLFactory()).readTree(file.toFile()).forEach(entity -> {
                if (entity.has("route")) {
                    routes.add(entity.path("route"));
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return routes;
    }
}
