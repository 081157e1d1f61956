package routes.platform.fhir;

import ca.uhn.fhir.rest.client.api.IGenericClient;
import java.util.Map;
import java.util.function.Function;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.fhir.FhirComponent;
import org.apache.camel.component.fhir.FhirConfiguration;
import org.apache.camel.component.fhir.FhirEndpoint;
import org.apache.camel.component.fhir.api.FhirCapabilities;
import org.apache.camel.component.fhir.api.FhirCreate;
import org.apache.camel.component.fhir.api.FhirDelete;
import org.apache.camel.component.fhir.api.FhirHistory;
import org.apache.camel.component.fhir.api.FhirLoadPage;
import org.apache.camel.component.fhir.api.FhirPatch;
import org.apache.camel.component.fhir.api.FhirRead;
import org.apache.camel.component.fhir.api.FhirSearch;
import org.apache.camel.component.fhir.api.FhirTransaction;
import org.apache.camel.component.fhir.api.FhirUpdate;
import org.apache.camel.component.fhir.api.FhirValidate;
import org.apache.camel.component.fhir.internal.FhirApiName;

/** One call in a route, such as {@code fhir:read/resourceById}. */
class TenantFhirEndpoint extends FhirEndpoint {

    /** All of Camel's, without operations: they may change resources in place. */
    private static final Map<FhirApiName, Function<IGenericClient, Object>> APIS = Map.ofEntries(
            Map.entry(FhirApiName.CAPABILITIES, FhirCapabilities::new),
            Map.entry(FhirApiName.CREATE, FhirCreate::new),
            Map.entry(FhirApiName.DELETE, FhirDelete::new),
            Map.entry(FhirApiName.HISTORY, FhirHistory::new),
            Map.entry(FhirApiName.LOAD_PAGE, FhirLoadPage::new),
            Map.entry(FhirApiName.PATCH, FhirPatch::new),
            Map.entry(FhirApiName.READ, FhirRead::new),
            Map.entry(FhirApiName.SEARCH, FhirSearch::new),
            Map.entry(FhirApiName.TRANSACTION, FhirTransaction::new),
            Map.entry(FhirApiName.UPDATE, FhirUpdate::new),
            Map.entry(FhirApiName.VALIDATE, FhirValidate::new));

    private final FhirClients clients;

    TenantFhirEndpoint(
            String uri,
            FhirComponent component,
            FhirApiName apiName,
            String methodName,
            FhirConfiguration configuration,
            FhirClients clients) {
        super(uri, component, apiName, methodName, configuration);
        this.clients = clients;
        if (!APIS.containsKey(apiName)) {
            throw new IllegalArgumentException(
                    "fhir:%s changes resources in place, and no event tells of it".formatted(apiName.getName()));
        }
    }

    /** Camel's API for the server of a tenant. */
    Object api(IGenericClient client) {
        return APIS.get(apiName).apply(client);
    }

    @Override
    public Producer createProducer() {
        return new TenantFhirProducer(this, clients);
    }

    /**
     * @throws UnsupportedOperationException always: Camel's consumer repeats one request, and skips and repeats changes
     */
    @Override
    public Consumer createConsumer(Processor processor) {
        throw new UnsupportedOperationException("a route cannot begin with fhir: because it would lose changes");
    }
}
