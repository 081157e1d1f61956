package routes.platform.fhir;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.NoSuchAlgorithmException;
import org.apache.camel.CamelContext;
import org.apache.camel.component.fhir.FhirComponent;

/** The FHIR client of the runtime, without Spring. */
public final class FhirTestClient implements AutoCloseable {

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final FhirServerStates states;
    private final FhirClients clients;

    public FhirTestClient(FhirSettings settings) {
        states = new FhirServerStates(settings, meters);
        try {
            clients = new FhirClients(settings, new FhirModel(), states, meters);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    public FhirClients clients() {
        return clients;
    }

    /** Makes {@code fhir:} endpoints of the context call by this client. */
    public void bindTo(CamelContext context) {
        FhirComponent component = new TenantFhirComponent(clients);
        context.getRegistry().bind("fhir", component);
    }

    @Override
    public void close() {
        try {
            clients.destroy();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
