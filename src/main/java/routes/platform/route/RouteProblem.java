package routes.platform.route;

import java.io.IOException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.FailedToStartRouteException;
import org.apache.camel.NoSuchEndpointException;
import org.apache.camel.ResolveEndpointFailedException;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;

/**
 * Names a problem in a route file as {@code file:line:column: what}, the form that editors and terminals make
 * clickable.
 *
 * @param file path of the route file, inside the jar if it is packaged
 * @param line first line is 1; 0 when unknown
 * @param column first column is 1; 0 when unknown
 * @param what one sentence, no payload
 */
public record RouteProblem(String file, int line, int column, String what) {

    private static final Pattern DUPLICATE_IDS = Pattern.compile("Duplicate route ids detected: ([^,]+?)[,.] ?");
    private static final Pattern PLACE = Pattern.compile("(.+):(\\d+)");
    private static final String EMPTY_FILE = "Resource is empty: ";

    public RouteProblem {
        file = file.substring(file.lastIndexOf("!/") < 0 ? 0 : file.lastIndexOf("!/") + 2);
        file = file.startsWith("file:") ? file.substring("file:".length()) : file;
    }

    /**
     * Finds the problem behind a failed start or reload: from the marks of the YAML parser, or from the failed step.
     * When Camel only names a route or an id, it searches the files.
     *
     * @return empty when no route file causes the failure
     */
    public static Optional<RouteProblem> behind(Throwable failure, RouteFiles files) {
        Optional<RouteProblem> found = Optional.empty();
        for (Throwable t = failure; t != null && found.isEmpty(); t = t.getCause()) {
            if (t instanceof RouteFileException e) {
                found = Optional.of(e.problem());
            } else if (t instanceof MarkedYamlEngineException e) {
                found = e.getProblemMark().map(mark -> marked(e, mark));
            }
        }
        return found.or(() -> named(failure, files));
    }

    /** Returns the message of a failure once, where Camel repeats it in each wrapping exception. */
    static String message(Throwable failure) {
        Throwable t = failure;
        while (t.getCause() != null && (t.getClass() == t.getCause().getClass() || t.getMessage() == null)) {
            t = t.getCause();
        }
        return t.getMessage() == null
                ? t.getClass().getSimpleName()
                : t.getMessage().strip().lines().findFirst().orElse("");
    }

    private static RouteProblem marked(MarkedYamlEngineException e, Mark mark) {
        String what = e.getProblem();
        if (e.getContext() != null && e.getContextMark().isPresent()) {
            Mark start = e.getContextMark().get();
            what += " (" + e.getContext() + " that starts at " + (start.getLine() + 1) + ":" + (start.getColumn() + 1)
                    + ")";
        }
        return new RouteProblem(mark.getName(), mark.getLine() + 1, mark.getColumn() + 1, what);
    }

    private static Optional<RouteProblem> named(Throwable failure, RouteFiles files) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof FailedToCreateRouteException e) {
                return e.getRouteId() == null ? duplicate(e, files) : create(e, files);
            }
            if (t instanceof FailedToStartRouteException e) {
                return files.route(e.getRouteId())
                        .map(at -> at.problem(message(e)))
                        .or(() -> start(e));
            }
            if (t instanceof IOException
                    && t.getMessage() != null
                    && t.getMessage().startsWith(EMPTY_FILE)) {
                return Optional.of(
                        new RouteProblem(t.getMessage().substring(EMPTY_FILE.length()), 1, 1, "The file is empty"));
            }
        }
        return Optional.empty();
    }

    private static Optional<RouteProblem> create(FailedToCreateRouteException e, RouteFiles files) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        boolean source = cause instanceof ResolveEndpointFailedException || cause instanceof NoSuchEndpointException;
        return (source ? files.source(e.getRouteId()) : files.route(e.getRouteId()))
                .map(at -> at.problem("Route " + e.getRouteId() + ": " + message(cause)));
    }

    /** Finds a route without an id, such as the one behind {@code rest: openApi:}, by its source location. */
    private static Optional<RouteProblem> start(FailedToStartRouteException e) {
        Matcher place = PLACE.matcher(e.getLocation() == null ? "" : e.getLocation());
        return place.matches()
                ? Optional.of(new RouteProblem(
                        place.group(1),
                        Integer.parseInt(place.group(2)),
                        0,
                        message(e.getCause() == null ? e : e.getCause())))
                : Optional.empty();
    }

    private static Optional<RouteProblem> duplicate(FailedToCreateRouteException e, RouteFiles files) {
        Matcher ids = DUPLICATE_IDS.matcher(e.getMessage());
        if (!ids.find()) {
            return Optional.empty();
        }
        String id = ids.group(1);
        var places = files.routes(id);
        return places.isEmpty()
                ? Optional.empty()
                : Optional.of(places.get(places.size() - 1)
                        .problem("Route id " + id + " is taken already, see " + places.get(0)));
    }

    @Override
    public String toString() {
        return file + (line > 0 ? ":" + line : "") + (column > 0 ? ":" + column : "") + ": " + what;
    }
}
