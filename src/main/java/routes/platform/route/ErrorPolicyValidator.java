package routes.platform.route;

import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.PatternHelper;
import org.springframework.stereotype.Component;

/**
 * Refuses a route that names a missing routeConfiguration. Camel would start it without an error policy, and lose its
 * first failed record instead of dead-lettering it.
 */
@Component
final class ErrorPolicyValidator extends LifecycleStrategySupport {

    @Override
    public void onRouteContextCreate(Route route) {
        if (route.getRoute() instanceof RouteDefinition definition && definition.getRouteConfigurationId() != null) {
            CamelContext context = route.getCamelContext();
            for (String id : context.resolvePropertyPlaceholders(definition.getRouteConfigurationId())
                    .split(",")) {
                if (((ModelCamelContext) context)
                        .getRouteConfigurationDefinitions().stream()
                                .noneMatch(c -> PatternHelper.matchPattern(c.getId(), id.strip()))) {
                    throw new RouteFileException(
                            definition.getInput().getLocation(),
                            definition.getInput().getLineNumber(),
                            new IllegalArgumentException("Route " + definition.getRouteId()
                                    + ": no routeConfiguration has the id " + id.strip()));
                }
            }
        }
    }
}
