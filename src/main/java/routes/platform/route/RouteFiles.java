package routes.platform.route;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

/**
 * Finds the line that defines a route, when Camel only names the id of the route. It reads the files itself, because
 * Camel's model is gone after a failed start.
 */
public final class RouteFiles {

    /** A place in a route file. Line and column start at 1. */
    record Place(String file, int line, int column) {

        RouteProblem problem(String what) {
            return new RouteProblem(file, line, column, what);
        }

        @Override
        public String toString() {
            return file + ":" + line + ":" + column;
        }
    }

    private record Definition(Node route, String file) {}

    private final String patterns;

    /** @param patterns as in {@code camel.main.routes-include-pattern}, separated by commas */
    public RouteFiles(String patterns) {
        this.patterns = patterns;
    }

    /** Returns the first place that has the id of a route. */
    Optional<Place> route(String id) {
        return routes(id).stream().findFirst();
    }

    /** Returns every place that defines a route with an id. */
    List<Place> routes(String id) {
        return definitions(id).stream()
                .map(d -> place(child(d.route, "id"), d.file))
                .toList();
    }

    /** Returns the place of a route's source endpoint. */
    Optional<Place> source(String id) {
        return definitions(id).stream().findFirst().map(d -> place(child(child(d.route, "from"), "uri"), d.file));
    }

    private List<Definition> definitions(String id) {
        List<Definition> found = new ArrayList<>();
        var resolver = new PathMatchingResourcePatternResolver();
        for (String pattern : patterns.split(",")) {
            try {
                for (Resource file : resolver.getResources(pattern.strip())) {
                    collect(id, file, found);
                }
            } catch (IOException | YamlEngineException e) {
                // a file that cannot be read explains no other failure
            }
        }
        return found;
    }

    private static void collect(String id, Resource file, List<Definition> found) throws IOException {
        try (InputStream in = file.getInputStream()) {
            String name = file.isFile()
                    ? file.getFile().toString()
                    : file instanceof ClassPathResource c
                            ? c.getPath()
                            : file.getURL().toString();
            Node root = new Compose(LoadSettings.builder().build())
                    .composeInputStream(in)
                    .orElse(null);
            if (root instanceof SequenceNode entries) {
                for (Node entry : entries.getValue()) {
                    Node route = child(entry, "route");
                    if (child(route, "id") instanceof ScalarNode s
                            && s.getValue().equals(id)) {
                        found.add(new Definition(route, name));
                    }
                }
            }
        }
    }

    private static Node child(Node node, String key) {
        if (node instanceof MappingNode map) {
            for (NodeTuple t : map.getValue()) {
                if (t.getKeyNode() instanceof ScalarNode k && k.getValue().equals(key)) {
                    return t.getValueNode();
                }
            }
        }
        return null;
    }

    private static Place place(Node node, String file) {
        Optional<Mark> mark = node == null ? Optional.empty() : node.getStartMark();
        return mark.map(m -> new Place(file, m.getLine() + 1, m.getColumn() + 1))
                .orElse(new Place(file, 1, 1));
    }
}
