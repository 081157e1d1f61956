package routes.platform.fhir;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.Status;
import org.springframework.stereotype.Component;

/**
 * Reports DOWN when a tenant's FHIR server does not answer. It tells what {@link FhirServerStates} knows, and asks no
 * server itself. {@code ready} does not include it: other tenants and other requests do not need this server.
 */
@Component("fhirHealthIndicator") // "fhir" is Camel's component
class FhirServersHealth extends AbstractHealthIndicator {

    private final FhirSettings settings;
    private final FhirServerStates states;

    FhirServersHealth(FhirSettings settings, FhirServerStates states) {
        this.settings = settings;
        this.states = states;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        builder.up();
        Map<String, FhirServerStates.State> known = states.all();
        for (String tenant : new TreeSet<>(settings.servers().keySet())) {
            FhirServerStates.State state = known.get(tenant);
            if (state != null && !state.isUp()) {
                builder.down();
            }
            builder.withDetail(tenant, detail(state));
        }
    }

    private static Map<String, Object> detail(FhirServerStates.State state) {
        if (state == null) {
            return Map.of("status", Status.UNKNOWN.getCode());
        }
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("status", (state.isUp() ? Status.UP : Status.DOWN).getCode());
        detail.put("since", state.since());
        if (!state.isUp()) {
            detail.put("reason", state.reason());
        }
        return detail;
    }
}
