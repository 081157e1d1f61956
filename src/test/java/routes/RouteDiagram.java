package routes;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Draws the routes of a file as Mermaid flowcharts: each box has a step's description, a dotted arrow calls another
 * route, a thick one hands it a record through a topic, a frame is a route or a step with steps in it.
 */
final class RouteDiagram {

    private static final Set<String> WITHOUT_BOX = Set.of("policy", "transacted", "loop");

    private final List<JsonNode> routes;
    private final StringBuilder chart = new StringBuilder();
    private int nodes;

    private RouteDiagram(List<JsonNode> routes) {
        this.routes = routes;
    }

    /** Where the next step's arrow begins, and its label. */
    private record Tail(String node, String label) {}

    /** One chart for all routes that call each other; one for all that stand alone with a single step. */
    static String markdown(List<JsonNode> routes) {
        List<List<JsonNode>> charts = new ArrayList<>();
        List<JsonNode> single = new ArrayList<>();
        for (Set<JsonNode> flow : flows(routes)) {
            JsonNode first = flow.iterator().next();
            if (flow.size() == 1 && first.at("/from/steps").size() == 1) {
                single.add(first);
            } else {
                charts.add(List.copyOf(flow));
            }
        }
        if (!single.isEmpty()) {
            charts.add(single);
        }
        StringBuilder page = new StringBuilder();
        for (List<JsonNode> flow : charts) {
            page.append("```mermaid\n").append(new RouteDiagram(flow).draw()).append("```\n\n");
        }
        return page.toString();
    }

    private static List<Set<JsonNode>> flows(List<JsonNode> routes) {
        List<Set<JsonNode>> flows = new ArrayList<>();
        for (JsonNode route : routes) {
            Set<JsonNode> flow = new LinkedHashSet<>();
            flow.add(route);
            flows.removeIf(other -> {
                boolean linked = other.stream().anyMatch(known -> calls(known, route) || calls(route, known));
                if (linked) {
                    flow.addAll(other);
                }
                return linked;
            });
            Set<JsonNode> ordered = new LinkedHashSet<>(routes);
            ordered.retainAll(flow);
            flows.add(ordered);
        }
        return flows;
    }

    private static boolean calls(JsonNode caller, JsonNode called) {
        return caller.at("/from/steps").findValuesAsText("uri").stream().anyMatch(uri -> reaches(uri, called));
    }

    private static boolean reaches(String uri, JsonNode route) {
        return uri.replaceFirst("^outbox:", "kafka:").equals(uri(route.path("from")));
    }

    private String draw() {
        chart.append("flowchart LR\n");
        routes.forEach(this::drawRoute);
        return chart.toString();
    }

    private void drawRoute(JsonNode route) {
        String id = route.path("id").asText();
        String policy = route.path("routeConfigurationId").asText();
        String errors = policy.equals("sub-route") ? "" : " · on failure: " + policy;
        chart.append("  subgraph ").append(id).append(quoted("[", id + errors, "]"));
        List<Tail> tails = List.of();
        if (!policy.equals("sub-route")) {
            tails = List.of(new Tail(node("([", source(route), "])"), ""));
        }
        drawSteps(route.at("/from/steps"), tails);
        chart.append("  end\n");
    }

    /** A request by its method and path, a topic with its group, a schedule. */
    private static String source(JsonNode route) {
        JsonNode from = route.path("from");
        String uri = uri(from);
        if (uri.startsWith("direct:")) {
            return route.path("description").asText().replaceFirst("^Answers (\\S+ [^ ,]+).*", "$1");
        }
        if (uri.startsWith("scheduler:")) {
            return "every " + from.at("/parameters/delay").asText() + " ms";
        }
        return endpoint(uri) + "<br/>group " + from.at("/parameters/groupId").asText();
    }

    /** A topic or a metric, without the braces of a placeholder, in which Mermaid sees a shape. */
    private static String endpoint(String uri) {
        return uri.replaceAll("\\{\\{(.*)}}", "$1")
                .replace("micrometer:counter:", "metric ")
                .replace(":", ": ");
    }

    private List<Tail> drawSteps(JsonNode steps, List<Tail> before) {
        List<Tail> tails = before;
        for (JsonNode step : steps) {
            String kind = step.fieldNames().next();
            tails = drawStep(kind, step.get(kind), tails);
        }
        return tails;
    }

    private List<Tail> drawStep(String kind, JsonNode step, List<Tail> before) {
        String description = step.path("description").asText();
        if (WITHOUT_BOX.contains(kind)) {
            chart.append("  subgraph s").append(++nodes).append(quoted("[", description, "]"));
            List<Tail> tails = drawSteps(step.path("steps"), before);
            chart.append("  end\n");
            return tails;
        }
        if (kind.equals("choice") || kind.equals("filter")) {
            return drawBranches(step, link(before, node("{", description, "}")));
        }
        String uri = uri(step);
        boolean isCall = uri.isEmpty() || uri.startsWith("direct:");
        String node = link(
                before, isCall ? node("[", description, "]") : node("[/", description + "<br/>" + endpoint(uri), "/]"));
        for (JsonNode route : routes) {
            if (reaches(uri, route)) {
                chart.append("  ")
                        .append(node)
                        .append(isCall ? " -.-> " : " ==> ")
                        .append(route.path("id").asText())
                        .append('\n');
            }
        }
        return List.of(new Tail(node, ""));
    }

    private List<Tail> drawBranches(JsonNode step, String decision) {
        List<Tail> tails = new ArrayList<>();
        for (JsonNode when : step.path("when")) {
            tails.addAll(drawSteps(
                    when.path("steps"),
                    List.of(new Tail(decision, when.path("description").asText()))));
        }
        if (step.has("otherwise")) {
            JsonNode otherwise = step.get("otherwise");
            tails.addAll(drawSteps(
                    otherwise.path("steps"),
                    List.of(new Tail(decision, otherwise.path("description").asText()))));
            return tails;
        }
        if (step.has("steps")) {
            tails.addAll(drawSteps(step.path("steps"), List.of(new Tail(decision, ""))));
        }
        tails.add(new Tail(decision, "else"));
        return tails;
    }

    private String node(String open, String label, String close) {
        String id = "n" + ++nodes;
        chart.append("  ").append(id).append(quoted(open, label, close));
        return id;
    }

    private String link(List<Tail> before, String node) {
        for (Tail tail : before) {
            String label = tail.label().isEmpty() ? "" : "|\"" + tail.label() + "\"|";
            chart.append("  ")
                    .append(tail.node())
                    .append(" -->")
                    .append(label)
                    .append(' ')
                    .append(node)
                    .append('\n');
        }
        return node;
    }

    private static String quoted(String open, String label, String close) {
        return open + '"' + label.replace("\"", "#quot;") + '"' + close + '\n';
    }

    private static String uri(JsonNode endpoint) {
        return endpoint.path("uri").asText();
    }
}
