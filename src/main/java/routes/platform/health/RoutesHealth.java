package routes.platform.health;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;

/** Whether Camel has started, and which routes that should run do not. The web port opens some seconds before Camel starts. */
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
        builder.status(camel.getStatus().isStarted() && stopped.isEmpty() ? "UP" : "DOWN")
                .withDetail("camel", camel.getStatus());
        if (!stopped.isEmpty()) {
            builder.withDetail("stopped", stopped);
        }
    }
}
