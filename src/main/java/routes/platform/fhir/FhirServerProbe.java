package routes.platform.fhir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.http.HttpHeaders;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpHead;
import org.apache.http.impl.client.CloseableHttpClient;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import routes.platform.fhir.FhirSettings.Server;

/**
 * Asks each FHIR server every ten seconds whether it answers. It has its own threads and connections, so that neither
 * the health page nor a call waits for it. It asks for {@code /metadata}: servers record reads of patients.
 */
@Component
class FhirServerProbe implements SmartLifecycle {

    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int MAX_THREADS = 4;

    private static final int SERVER_ERROR = 500;

    /** A server without HEAD. */
    private static final int NOT_IMPLEMENTED = 501;

    /** Our credentials or our address are wrong. */
    private static final Set<Integer> USELESS = Set.of(401, 404);

    private final FhirSettings settings;
    private final FhirServerStates states;
    private final Duration interval;
    private CloseableHttpClient http;
    private ScheduledThreadPoolExecutor timer;

    @Autowired
    FhirServerProbe(FhirSettings settings, FhirServerStates states) {
        this(settings, states, INTERVAL);
    }

    FhirServerProbe(FhirSettings settings, FhirServerStates states, Duration interval) {
        this.settings = settings;
        this.states = states;
        this.interval = interval;
    }

    @Override
    public synchronized void start() {
        int servers = settings.servers().size();
        if (servers == 0) {
            return;
        }
        try {
            http = new DeadlineHttpClient(FhirHttpConfiguration.client(settings, 1), LIMIT);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("the JVM has no TLS", e);
        }
        timer = new ScheduledThreadPoolExecutor(Math.min(servers, MAX_THREADS), task -> {
            Thread thread = new Thread(task, "fhir-probe");
            thread.setDaemon(true);
            return thread;
        });
        settings.servers()
                .forEach((tenant, server) -> timer.scheduleWithFixedDelay(
                        () -> probe(tenant, server), 0, interval.toMillis(), TimeUnit.MILLISECONDS));
    }

    private void probe(String tenant, Server server) {
        HttpHead request = new HttpHead(URI.create(server.url() + "/metadata?_elements=fhirVersion"));
        server.authorization().ifPresent(value -> request.setHeader(HttpHeaders.AUTHORIZATION, value));
        try (CloseableHttpResponse response = http.execute(request)) {
            int status = response.getStatusLine().getStatusCode();
            if (USELESS.contains(status) || status >= SERVER_ERROR && status != NOT_IMPLEMENTED) {
                states.unavailable(tenant, String.valueOf(status));
            } else {
                states.answered(tenant);
            }
        } catch (IOException | RuntimeException e) {
            // an exception out of here would end the probes
            states.unavailable(tenant, e.getClass().getSimpleName());
        }
    }

    @Override
    public synchronized void stop() {
        if (timer == null) {
            return;
        }
        timer.shutdownNow();
        timer = null;
        try {
            http.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return timer != null;
    }
}
