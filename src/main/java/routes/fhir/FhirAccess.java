package routes.fhir;

import java.util.List;
import java.util.Set;
import org.apache.camel.Exchange;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.error.ProblemException;
import routes.platform.http.AccessRule;

/** Lets a request pass when the scopes of its caller grant everything that it asks for. */
@Component("fhirAccess")
class FhirAccess {

    /**
     * Lets the body be read when the scopes grant what method and path need. A bundle needs any scope of FHIR.
     *
     * @throws ProblemException 403 with the missing scopes
     */
    void checkUrl(FhirRequestHead head, Set<FhirPermission> needs, Caller caller, Exchange exchange) {
        SmartScopes scopes = new SmartScopes(caller.scopes());
        if (head.isBundle() && scopes.isEmpty()) {
            throw AccessRule.insufficientScope("system/*.cruds", "Bundle: ", exchange);
        }
        require(needs, scopes, "", exchange);
    }

    /** @throws ProblemException 403 with the missing scopes, for the first interaction that lacks any */
    public void check(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        SmartScopes scopes = new SmartScopes(request.caller().scopes());
        List<FhirInteraction> interactions = request.interactions();
        for (int i = 0; i < interactions.size(); i++) {
            require(
                    interactions.get(i).needs(),
                    scopes,
                    request.isBundle() ? "Bundle.entry[" + i + "]: " : "",
                    exchange);
        }
    }

    private static void require(Set<FhirPermission> needs, SmartScopes scopes, String place, Exchange exchange) {
        List<FhirPermission> missing =
                needs.stream().filter(permission -> !scopes.grants(permission)).toList();
        if (!missing.isEmpty()) {
            throw AccessRule.insufficientScope(String.join(" ", SmartScopes.granting(missing)), place, exchange);
        }
    }
}
