package sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.RouteConfigurationsBuilder;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RouteDefinitionHelper;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.FileWatcherResourceReloadStrategy;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.route.DirectEndpointValidator;
import routes.platform.route.RouteFiles;
import routes.platform.route.RouteProblem;

/**
 * Reloads an edited route file into the running sandbox. An edit that does not load leaves the running routes alone.
 *
 * <p>Camel's {@code RouteWatcherReloadStrategy} removes the old routes before it loads the new ones, so a mistyped
 * option ends a route. This class first builds the new routes without starting them. Then it exchanges the routes that
 * differ, and restores the old ones when a new one does not start.
 *
 * <p>The routes come from the watched directory: {@code file:} in {@code camel.main.routes-include-pattern}.
 */
final class RouteReload extends FileWatcherResourceReloadStrategy {

    /** Reports the mistake in the file through {@link #getLastError()}, without a stack trace. */
    private static final class Refused extends Exception {
        Refused(String message) {
            super(message, null, false, false);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(RouteReload.class);
    private static final String SUFFIX = ".camel.yaml";
    private static final Pattern POLICY = Pattern.compile("(?m)^ *- *routeConfiguration:");
    private static final Pattern BINDING = Pattern.compile("(?m)^ *- *rest:");
    private static final long SETTLES_MILLIS = 200;
    /** Bounds how long a stop waits for the watcher; an edit wakes the watcher at once. */
    private static final long WATCH_MILLIS = 100;

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private final Path directory;
    private final RequestPause requests;
    private Map<Path, String> running = Map.of();
    private Map<Path, String> attempted = Map.of();
    private Refused refusal;

    /**
     * @param directory of the route files
     * @param requests pauses requests while routes are exchanged
     */
    RouteReload(Path directory, RequestPause requests) {
        super(directory.toString(), true);
        this.requests = requests;
        this.directory = directory.toAbsolutePath().normalize();
        setPollTimeout(WATCH_MILLIS);
        setFileFilter(file -> file.getName().endsWith(SUFFIX));
        setResourceReload((name, resource) -> reload());
    }

    @Override
    protected void doStart() throws Exception {
        running = read();
        attempted = running;
        super.doStart();
    }

    @Override
    protected String startupMessage(java.io.File dir) {
        return "Edited route files in " + dir + " are reloaded";
    }

    private void reload() throws Exception {
        if (!context().isStarted()) {
            return;
        }
        Map<Path, String> edited = settled();
        // one save causes several events
        if (!edited.equals(attempted)) {
            attempted = edited;
            refusal = take(edited);
        }
        // Camel clears the last error before each event
        setLastError(refusal);
    }

    /** @return reason of the refusal; null when the new routes run */
    private Refused take(Map<Path, String> edited) throws Exception {
        Set<Path> files = affected(edited);
        if (files.isEmpty()) {
            return null;
        }
        LOG.info("Reloading {}", names(files));
        List<RouteConfigurationDefinition> policies = List.copyOf(context().getRouteConfigurationDefinitions());
        try {
            rehearse(files, edited);
        } catch (Exception e) {
            replacePolicies(policies);
            return refused(e);
        }
        Set<String> same = same(files, edited);
        requests.pause();
        try {
            exchange(files, edited, same);
        } catch (Exception e) {
            replacePolicies(policies);
            exchange(files, running, same);
            return refused(e);
        } finally {
            requests.resume();
        }
        running = edited;
        LOG.info("Reloaded {}", names(files));
        return null;
    }

    private List<Path> names(Set<Path> files) {
        return files.stream().map(directory::relativize).sorted().toList();
    }

    /** Returns the unchanged routes. None after an edit of an error policy, because a route has its policy built in. */
    private Set<String> same(Set<Path> files, Map<Path, String> edited) throws IOException {
        Set<String> same = new HashSet<>();
        if (!files.equals(changed(edited))) {
            return same;
        }
        for (Path file : files) {
            if (running.containsKey(file) && edited.containsKey(file)) {
                Map<String, JsonNode> after = routesById(edited.get(file));
                routesById(running.get(file)).forEach((id, route) -> {
                    if (route.equals(after.get(id))) {
                        same.add(id);
                    }
                });
            }
        }
        return same;
    }

    private static Map<String, JsonNode> routesById(String text) throws IOException {
        Map<String, JsonNode> routes = new HashMap<>();
        for (JsonNode entry : YAML.readTree(text)) {
            JsonNode id = entry.at("/route/id");
            if (id.isTextual()) {
                routes.put(id.asText(), entry);
            }
        }
        return routes;
    }

    /**
     * Returns the edited files. Every file after an edit of an error policy, because a route has its policy built in.
     */
    private Set<Path> affected(Map<Path, String> edited) {
        Set<Path> changed = changed(edited);
        return changed.stream().anyMatch(f -> holds(POLICY, f, running) || holds(POLICY, f, edited))
                ? union(running.keySet(), edited.keySet())
                : changed;
    }

    private Set<Path> changed(Map<Path, String> edited) {
        return union(running.keySet(), edited.keySet()).stream()
                .filter(f -> !Objects.equals(running.get(f), edited.get(f)))
                .collect(Collectors.toSet());
    }

    private static <T> Set<T> union(Set<T> a, Set<T> b) {
        Set<T> all = new HashSet<>(a);
        all.addAll(b);
        return all;
    }

    /** Builds the routes of these files with endpoints, beans and error policies, and starts none. */
    private void rehearse(Set<Path> files, Map<Path, String> texts) throws Exception {
        if (files.stream().anyMatch(f -> holds(POLICY, f, running) || holds(POLICY, f, texts))) {
            replacePolicies(List.of());
        }
        Collection<RoutesBuilder> builders =
                PluginHelper.getRoutesLoader(context()).findRoutesBuilders(resources(files, texts));
        for (RoutesBuilder builder : builders) {
            if (builder instanceof RouteConfigurationsBuilder b) {
                b.updateRouteConfigurationsToCamelContext(context());
            }
        }
        Map<String, String> taken = context().getRouteDefinitions().stream()
                .filter(r -> !files.contains(file(r)))
                .collect(Collectors.toMap(RouteDefinition::getRouteId, RouteReload::place));
        List<RouteDefinition> routes = context().getRouteDefinitions().stream()
                .filter(r -> !files.contains(file(r)))
                .collect(Collectors.toCollection(ArrayList::new));
        for (RoutesBuilder builder : builders) {
            if (builder instanceof RouteBuilder b) {
                for (RouteDefinition route : b.configureRoutes(context()).getRoutes()) {
                    String other = route.getId() == null ? null : taken.putIfAbsent(route.getId(), place(route));
                    if (other != null) {
                        throw new Refused(
                                place(route) + ": Route id " + route.getId() + " is taken already, see " + other);
                    }
                    build(b, route);
                    routes.add(route);
                }
            }
        }
        DirectEndpointValidator.check(context(), routes);
    }

    private void build(RouteBuilder builder, RouteDefinition route) throws Exception {
        builder.getRouteCollection().prepareRoute(route);
        RouteDefinitionHelper.forceAssignIds(context(), route.getInput());
        RouteDefinitionHelper.forceAssignIds(context(), route);
        model().getModelReifierFactory().createRoute(context(), route);
    }

    /**
     * Replaces the running routes of these files by those of the texts, except unchanged ones. A file without a text is
     * deleted.
     */
    private void exchange(Set<Path> files, Map<Path, String> texts, Set<String> same) throws Exception {
        for (RouteDefinition route : List.copyOf(context().getRouteDefinitions())) {
            if (files.contains(file(route)) && !same.contains(route.getRouteId())) {
                model().removeRouteDefinition(route);
            }
        }
        model().getRestDefinitions()
                .removeIf(rest -> files.contains(
                        path(rest.getResource() != null ? rest.getResource().getLocation() : rest.getLocation())));
        Collection<RoutesBuilder> builders =
                PluginHelper.getRoutesLoader(context()).findRoutesBuilders(resources(files, texts));
        for (RoutesBuilder builder : builders) {
            if (builder instanceof RouteConfigurationsBuilder b) {
                b.updateRouteConfigurationsToCamelContext(context());
            }
        }
        for (RoutesBuilder builder : builders) {
            if (builder instanceof RouteBuilder b) {
                b.configureRoutes(context()).getRoutes().removeIf(route -> same.contains(route.getId()));
            }
            builder.updateRoutesToCamelContext(context());
        }
    }

    /** Sorts the contract binding last: it starts only after the routes that it binds. */
    private static List<Resource> resources(Set<Path> files, Map<Path, String> texts) {
        return files.stream()
                .filter(texts::containsKey)
                .sorted(Comparator.comparing((Path f) -> holds(BINDING, f, texts))
                        .thenComparing(f -> f))
                .map(f -> ResourceHelper.fromString("file:" + f, texts.get(f)))
                .toList();
    }

    private static boolean holds(Pattern entry, Path file, Map<Path, String> texts) {
        return texts.containsKey(file) && entry.matcher(texts.get(file)).find();
    }

    private void replacePolicies(List<RouteConfigurationDefinition> policies) throws Exception {
        for (RouteConfigurationDefinition policy : List.copyOf(context().getRouteConfigurationDefinitions())) {
            model().removeRouteConfiguration(policy);
        }
        model().addRouteConfigurations(policies);
    }

    private Refused refused(Exception e) {
        String what = e.getMessage();
        if (!(e instanceof Refused)) {
            var problem = RouteProblem.behind(e, new RouteFiles("file:" + directory + "/**/*" + SUFFIX));
            if (problem.isEmpty()) {
                LOG.error("The edited routes do not load for a reason outside their files", e);
            }
            what = problem.map(RouteProblem::toString).orElseGet(e::toString);
        }
        LOG.error("{} - the routes that ran before keep running", what);
        incFailedCounter();
        return new Refused(what);
    }

    /**
     * Reads the files until they stop changing, because editors truncate, delete or rename a file before they write it.
     */
    private Map<Path, String> settled() throws InterruptedException {
        Map<Path, String> texts = read();
        Map<Path, String> before;
        do {
            before = texts;
            Thread.sleep(SETTLES_MILLIS);
            texts = isRunAllowed() ? read() : before;
        } while (!texts.equals(before));
        return texts;
    }

    private Map<Path, String> read() {
        Map<Path, String> texts = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(f -> f.toString().endsWith(SUFFIX)).toList()) {
                texts.put(file, Files.readString(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return texts;
    }

    private static Path file(RouteDefinition route) {
        return path(
                route.getResource() != null
                        ? route.getResource().getLocation()
                        : route.getInput().getLocation());
    }

    private static Path path(String location) {
        return location != null && location.startsWith("file:")
                ? Path.of(location.substring("file:".length())).toAbsolutePath().normalize()
                : null;
    }

    private static String place(RouteDefinition route) {
        return file(route) + ":" + route.getInput().getLineNumber();
    }

    private ModelCamelContext context() {
        return (ModelCamelContext) getCamelContext();
    }

    private Model model() {
        return context().getCamelContextExtension().getContextPlugin(Model.class);
    }
}
