package routes.platform.fhir;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Knows of each tenant's FHIR server whether it answers, and since when. It learns from every call, and from
 * {@link FhirServerProbe} while there are none.
 */
@Component
public class FhirServerStates {

    private static final Logger LOG = LoggerFactory.getLogger(FhirServerStates.class);

    /** Statuses of a proxy whose server does not answer, or of a server that serves nobody. */
    private static final Set<Integer> UNAVAILABLE = Set.of(502, 503);

    private final Map<String, State> states = new ConcurrentHashMap<>();
    private final Clock clock;

    /** @param reason a status or the class of an exception; null while the server answers */
    record State(String reason, Instant since) {

        boolean isUp() {
            return reason == null;
        }
    }

    @Autowired
    FhirServerStates(FhirSettings settings, MeterRegistry meters) {
        this(settings, meters, Clock.systemUTC());
    }

    FhirServerStates(FhirSettings settings, MeterRegistry meters, Clock clock) {
        this.clock = clock;
        settings.servers().keySet().forEach(tenant -> Gauge.builder(
                        "event-broker.fhir.server.up", states, all -> value(all.get(tenant)))
                .tag("tenant", tenant)
                .register(meters));
    }

    private static double value(State state) {
        if (state == null) {
            return Double.NaN;
        }
        return state.isUp() ? 1 : 0;
    }

    /** The state of each server that has been called, by tenant. */
    Map<String, State> all() {
        return new TreeMap<>(states);
    }

    /** Notes that the server has answered, even if it has refused a request. */
    public void answered(String tenant) {
        note(tenant, null);
    }

    /** Notes that the server does not answer, or cannot serve anybody. */
    public void unavailable(String tenant, String reason) {
        note(tenant, reason);
    }

    /** Notes the failure of one call. A late answer says nothing about the server: the call may be a slow one. */
    void failed(String tenant, FhirFailure failure) {
        if (failure.isUnreachable() || UNAVAILABLE.contains(failure.status())) {
            unavailable(tenant, failure.reason());
        } else if (failure.status() > 0) {
            answered(tenant);
        }
    }

    private void note(String tenant, String reason) {
        states.compute(tenant, (t, before) -> {
            if (before == null || before.isUp() != (reason == null)) {
                log(tenant, before, reason);
                return new State(reason, clock.instant());
            }
            return new State(reason, before.since());
        });
    }

    private static void log(String tenant, State before, String reason) {
        if (reason != null) {
            LOG.warn("FHIR server of tenant {} does not answer: {}", tenant, reason);
        } else if (before != null) {
            LOG.info("FHIR server of tenant {} answers again", tenant);
        }
    }
}
