package routes.platform.fhir;

import ca.uhn.fhir.rest.client.apache.ApacheRestfulClientFactory;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import routes.platform.fhir.FhirSettings.Server;

/**
 * Has a FHIR client for the server of each tenant: for the runtime's own calls, in routes by {@code fhir:} endpoints
 * ({@link TenantFhirComponent}).
 */
@Component
public class FhirClients implements DisposableBean {

    private final FhirSettings settings;
    private final FhirModel model;
    private final FhirServerStates states;
    private final MeterRegistry meters;
    private final OwnCallsHttpClient http;
    private final Map<String, IGenericClient> clients = new ConcurrentHashMap<>();

    /** Null until the first call. */
    private ApacheRestfulClientFactory factory;

    FhirClients(FhirSettings settings, FhirModel model, FhirServerStates states, MeterRegistry meters)
            throws NoSuchAlgorithmException {
        this.settings = settings;
        this.model = model;
        this.states = states;
        this.meters = meters;
        http = new OwnCallsHttpClient(
                FhirHttpConfiguration.client(settings, settings.maxOwnCalls()), settings.responseTimeout(), (int)
                        settings.maxOwnAnswer().toBytes());
    }

    /** Loads the model when a request may need it, on a thread that nobody waits for. */
    @EventListener(ApplicationReadyEvent.class)
    void loadModel() {
        if (!settings.servers().isEmpty()) {
            Thread loader = new Thread(model::r4, "fhir-model");
            loader.setDaemon(true);
            loader.start();
        }
    }

    /** @throws FhirFailure when the tenant has no server */
    public IGenericClient of(String tenant) {
        Server server = settings.server(tenant).orElseThrow(() -> noServer(tenant));
        return clients.computeIfAbsent(tenant, t -> create(t, server));
    }

    private static FhirFailure noServer(String tenant) {
        return new FailureReader(tenant, "").refused("there is none");
    }

    private IGenericClient create(String tenant, Server server) {
        return new TenantFhirClient(
                model.r4(),
                factory(),
                server,
                new FailureReader(tenant, server.url().toString()),
                (nanos, failure) -> ended(tenant, nanos, failure));
    }

    private synchronized ApacheRestfulClientFactory factory() {
        if (factory == null) {
            factory = new ApacheRestfulClientFactory(model.r4());
            factory.setServerValidationMode(ServerValidationModeEnum.NEVER);
            factory.setHttpClient(http);
            model.r4().setRestfulClientFactory(factory);
        }
        return factory;
    }

    private void ended(String tenant, long nanos, FhirFailure failure) {
        Timer.builder("event-broker.fhir.calls")
                .tag("tenant", tenant)
                .tag("result", failure == null ? "ok" : failure.kind().name().toLowerCase(Locale.ROOT))
                .register(meters)
                .record(nanos, TimeUnit.NANOSECONDS);
        CallResult result = failure == null ? CallResult.OK : failure.result();
        states.called(tenant, result, failure == null ? null : failure.reason());
    }

    @Override
    public void destroy() throws IOException {
        http.close();
    }
}
