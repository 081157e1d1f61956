package routes.platform.fhir;

import java.util.Map;
import org.apache.camel.Endpoint;
import org.apache.camel.component.fhir.FhirComponent;
import org.apache.camel.component.fhir.FhirConfiguration;
import org.apache.camel.component.fhir.internal.FhirApiName;
import org.springframework.context.annotation.Lazy;
import org.springframework.stereotype.Component;

/**
 * Replaces Camel's component for {@code fhir:} by a bean of the same name. A route names no server: its exchange
 * property {@code tenant} chooses one ({@link TenantFhirProducer}).
 */
@Lazy
@Component("fhir")
@org.apache.camel.spi.annotations.Component("fhir")
class TenantFhirComponent extends FhirComponent {

    private final FhirClients clients;

    TenantFhirComponent(FhirClients clients) {
        this.clients = clients;
    }

    @Override
    protected Endpoint createEndpoint(
            String uri, String methodName, FhirApiName apiName, FhirConfiguration configuration) {
        configuration.setApiName(apiName);
        configuration.setMethodName(methodName);
        return new TenantFhirEndpoint(uri, this, apiName, methodName, configuration, clients);
    }

    /** @throws IllegalArgumentException when a route names a server or credentials */
    @Override
    protected void afterPropertiesSet(FhirConfiguration configuration) {
        Map<String, Boolean> options = Map.of(
                "client", configuration.getClient() != null,
                "clientFactory", configuration.getClientFactory() != null,
                "fhirContext", configuration.getFhirContext() != null,
                "serverUrl", configuration.getServerUrl() != null,
                "username", configuration.getUsername() != null,
                "accessToken", configuration.getAccessToken() != null,
                "sessionCookie", configuration.getSessionCookie() != null,
                "proxyHost", configuration.getProxyHost() != null,
                "log", configuration.isLog());
        options.forEach((name, isSet) -> {
            if (isSet) {
                throw new IllegalArgumentException(
                        "fhir: has no option %s here. The exchange property %s names the tenant, and event-broker.fhir.servers its server"
                                .formatted(name, TenantFhirProducer.TENANT));
            }
        });
    }
}
