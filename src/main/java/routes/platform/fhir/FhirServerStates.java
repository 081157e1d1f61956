package routes.platform.fhir;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Knows of each tenant's FHIR server whether it answers, and since when. {@link FhirServerProbe} decides. A call shows
 * earlier that a server is down. It does not show that the server is up again: with one request served, others may
 * fail.
 */
@Component
public class FhirServerStates {

    private static final Logger LOG = LoggerFactory.getLogger(FhirServerStates.class);

    private final Map<String, State> states = new ConcurrentHashMap<>();
    private final Clock clock;

    /** @param reason a status or the class of an exception; null while the server serves */
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

    /** Whether a call or the last probe has shown that the server serves no request. */
    public boolean isDown(String tenant) {
        State state = states.get(tenant);
        return state != null && !state.isUp();
    }

    /**
     * Notes how a call ended, of a caller or of the runtime itself.
     *
     * @param reason a status or the class of an exception; null for {@link CallResult#OK}
     */
    public void called(String tenant, CallResult result, String reason) {
        if (result.showsThatServerIsDown()) {
            note(tenant, reason);
        } else if (result.showsThatServerAnswers() && !states.containsKey(tenant)) {
            note(tenant, null);
        }
    }

    /** @param reason a status or the class of an exception; null when the server serves */
    void probed(String tenant, String reason) {
        note(tenant, reason);
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
            LOG.warn("FHIR server of tenant {} is down: {}", tenant, reason);
        } else if (before != null) {
            LOG.info("FHIR server of tenant {} is up again", tenant);
        }
    }
}
