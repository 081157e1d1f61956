package routes.fhir;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.camel.builder.ThreadPoolProfileBuilder;
import org.apache.camel.spi.ThreadPoolProfile;
import org.springframework.context.annotation.Bean;
import org.springframework.stereotype.Component;
import routes.platform.fhir.FhirSettings;

/** Opens a lane for each tenant with due intents: one at a time, so a slow server delays no other tenant. */
@Component("fhirResolverLanes")
class ResolverLanes {

    private static final int THREADS = 4;

    /** More than there are tenants: a lane that finds no place would run on the scheduler's thread, and stop all. */
    private static final int WAITING_LANES = 10_000;

    /** The time for which a server that serves nobody is left alone. */
    static final Duration PAUSE = Duration.ofSeconds(30);

    /**
     * A lane that was never begun, as while its route restarts, is opened again after this time. A tenant with two
     * lanes does no harm, because each claims other intents.
     */
    private static final Duration LONGEST = Duration.ofMinutes(10);

    private final OpenIntentTable table;
    private final FhirSettings settings;

    /** The tenants that get no new lane, and until when in nanoseconds. */
    private final Map<String, Long> busy = new ConcurrentHashMap<>();

    ResolverLanes(OpenIntentTable table, FhirSettings settings) {
        this.table = table;
        this.settings = settings;
    }

    /** The threads of the lanes. When all are in use, lanes wait for each other. */
    @Bean
    static ThreadPoolProfile fhirLanesProfile() {
        return new ThreadPoolProfileBuilder("fhirLanes")
                .poolSize(THREADS)
                .maxPoolSize(THREADS)
                .maxQueueSize(WAITING_LANES)
                .keepAliveTime(1L, TimeUnit.MINUTES)
                .allowCoreThreadTimeOut(true)
                .build();
    }

    /** Returns the tenants with due intents that have no lane, and gives each of them one. */
    public List<String> open() {
        long now = System.nanoTime();
        busy.values().removeIf(until -> now - until >= 0);
        Set<String> free = new HashSet<>(settings.servers().keySet());
        free.removeAll(busy.keySet());
        List<String> due = table.dueTenants(free);
        due.forEach(tenant -> keepBusy(tenant, LONGEST));
        return due;
    }

    /** Lets the tenant of a lane have a new one: after a pause when its server serves nobody. */
    void end(ResolverLane lane) {
        if (lane.isClosed()) {
            keepBusy(lane.tenant(), PAUSE);
        } else {
            busy.remove(lane.tenant());
        }
    }

    private void keepBusy(String tenant, Duration time) {
        busy.put(tenant, System.nanoTime() + time.toNanos());
    }
}
