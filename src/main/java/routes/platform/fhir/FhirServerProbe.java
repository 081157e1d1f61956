package routes.platform.fhir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.http.Header;
import org.apache.http.HttpHeaders;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpHead;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.impl.client.CloseableHttpClient;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import routes.platform.fhir.FhirSettings.Server;

/**
 * Asks each FHIR server every ten seconds whether it serves requests. It has its own threads and connections, so that
 * neither the health page nor a call waits for it.
 *
 * <p>It asks two questions. {@code /metadata} shows whether the address is that of a server, and often answers
 * everyone. A search that finds nothing needs our credentials and the server's database. It asks for no patient,
 * because servers record who does.
 */
@Component
class FhirServerProbe implements SmartLifecycle {

    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final int MAX_THREADS = 4;

    private static final String METADATA = "/metadata?_elements=fhirVersion";
    /** The address is not the base of a server. */
    private static final Set<CallResult> NO_METADATA = Set.of(CallResult.GONE);

    private static final String SEARCH = "/Basic?_id=none&_summary=count";

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
        String reason;
        try {
            reason = reason(server);
        } catch (IOException | RuntimeException e) {
            // an exception out of here would end the probes
            reason = e.getClass().getSimpleName();
        }
        states.probed(tenant, reason);
    }

    /** Returns why the server does not serve; null when it does. */
    private String reason(Server server) throws IOException {
        String metadata = reason(server, new HttpHead(server.url() + METADATA), NO_METADATA);
        return metadata == null ? reason(server, new HttpGet(server.url() + SEARCH), Set.of()) : metadata;
    }

    /** @param others results that also show that the server does not serve */
    private String reason(Server server, HttpUriRequest question, Set<CallResult> others) throws IOException {
        question.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        server.authorization().ifPresent(value -> question.setHeader(HttpHeaders.AUTHORIZATION, value));
        try (CloseableHttpResponse answer = http.execute(question)) {
            int status = answer.getStatusLine().getStatusCode();
            Header type = answer.getFirstHeader(HttpHeaders.CONTENT_TYPE);
            CallResult result = CallResult.ofAnswer(status, type == null || FhirContentType.isFhir(type.getValue()));
            return result.showsThatServerAnswers() && !others.contains(result) ? null : String.valueOf(status);
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
