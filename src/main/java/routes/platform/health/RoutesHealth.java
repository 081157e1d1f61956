package routes.platform.health;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;

/**
 * Checks that Camel has started, and reports routes that should run but do not. The web port opens before Camel starts.
 */
@Component("routes")
class RoutesHealth extends AbstractHealthIndicator {

    private final CamelContext camel;

    RoutesHealth(CamelContext camel) {
        this.camel = camel;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        List<String> stopped = camel.getRoutes().stream()
                .filter(Route::isAutoStartup)
                .map(Route::getRouteId)
                .filter(id -> !camel.getRouteController().getRouteStatus(id).isStarted())
                .toList();
        // the contract's own route always exists: without any route, Camel has started too early
        boolean complete = stopped.isEmpty() && !camel.getRoutes().isEmpty();
        builder.status(camel.getStatus().isStarted() && complete ? "UP" : "DOWN")
                .withDetail("camel", camel.getStatus())
                .withDetail("routes", camel.getRoutesSize());
        if (!stopped.isEmpty()) {
            builder.withDetail("stopped", stopped);
        }
    }
}
