package routes.platform.route;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.model.EndpointRequiredDefinition;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.ToDynamicDefinition;
import org.apache.camel.support.LifecycleStrategySupport;
import org.springframework.stereotype.Component;

/**
 * Refuses a step that sends to a {@code direct:} endpoint without a consumer. Camel would fail at the first message,
 * and only after half a minute.
 */
@Component
public final class DirectEndpointValidator extends LifecycleStrategySupport {

    private static final String SCHEME = "direct:";

    @Override
    public void onContextStarting(CamelContext context) {
        check(context, ((ModelCamelContext) context).getRouteDefinitions());
    }

    /**
     * Checks routes and the error policies of the context. It ignores addresses that depend on the message.
     *
     * @param routes all routes that are to run, started or not
     * @throws org.apache.camel.RuntimeCamelException with the file and line of the first invalid step
     */
    public static void check(CamelContext context, Collection<RouteDefinition> routes) {
        Set<String> consumed = routes.stream()
                .map(route -> route.getInput() == null ? "" : route.getInput().getEndpointUri())
                .flatMap(uri -> name(context, uri).stream())
                .collect(Collectors.toSet());
        Stream<ProcessorDefinition<?>> policies = ((ModelCamelContext) context)
                .getRouteConfigurationDefinitions().stream().flatMap(policy -> policy.getOnExceptions().stream());
        Stream.concat(routes.stream(), policies).forEach(node -> check(context, node, consumed));
    }

    private static void check(CamelContext context, ProcessorDefinition<?> node, Set<String> consumed) {
        for (ProcessorDefinition<?> step :
                ProcessorDefinitionHelper.filterTypeInOutputs(node.getOutputs(), ProcessorDefinition.class)) {
            name(context, uri(step)).filter(name -> !consumed.contains(name)).ifPresent(name -> {
                throw new RouteFileException(
                        step.getLocation(),
                        step.getLineNumber(),
                        new IllegalArgumentException("No route consumes from direct:" + name));
            });
        }
    }

    private static String uri(ProcessorDefinition<?> step) {
        if (step instanceof EndpointRequiredDefinition sender) {
            return sender.getEndpointUri();
        }
        return step instanceof ToDynamicDefinition dynamic ? dynamic.getUri() : null;
    }

    private static Optional<String> name(CamelContext context, String uri) {
        if (uri == null || uri.contains("${")) {
            return Optional.empty();
        }
        String resolved = context.resolvePropertyPlaceholders(uri);
        return resolved.startsWith(SCHEME)
                ? Optional.of(resolved.substring(SCHEME.length())
                        .replaceFirst("^//", "")
                        .replaceFirst("\\?.*", ""))
                : Optional.empty();
    }
}
