package routes.fhir;

import java.util.List;
import org.apache.camel.Exchange;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.AccessRule;

/** Lets a request pass when the scopes of its caller grant everything that it asks for. */
@Component("fhirAccess")
class FhirAccess {

    /** @throws ProblemException 403 with the missing scopes, for the first interaction that lacks any */
    public void check(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        SmartScopes scopes = new SmartScopes(request.caller().scopes());
        List<FhirInteraction> interactions = request.interactions();
        for (int i = 0; i < interactions.size(); i++) {
            List<FhirPermission> missing = interactions.get(i).needs().stream()
                    .filter(permission -> !scopes.grants(permission))
                    .toList();
            if (!missing.isEmpty()) {
                throw AccessRule.insufficientScope(
                        String.join(" ", SmartScopes.granting(missing)),
                        request.isBundle() ? "Bundle.entry[" + i + "]: " : "",
                        exchange);
            }
        }
    }
}
