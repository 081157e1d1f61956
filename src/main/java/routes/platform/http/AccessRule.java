package routes.platform.http;

import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

/** Decides what a caller may do: by scope, and as an operator for another tenant. */
public final class AccessRule {

    private static final Logger LOG = LoggerFactory.getLogger(AccessRule.class);

    private AccessRule() {}

    /** @throws ProblemException 403 when the caller's token lacks the scope */
    static void requireScope(String scope, Caller caller, Exchange exchange) {
        if (!caller.hasScope(scope)) {
            throw insufficientScope(scope, "", exchange);
        }
    }

    /**
     * The answer 403, with the missing scopes in {@code WWW-Authenticate}.
     *
     * @param scopes one, or several with spaces between them
     * @param place begins the text of the error; may be empty
     * @see <a href="https://www.rfc-editor.org/rfc/rfc6750#section-3.1">RFC 6750, section 3.1</a>
     */
    public static ProblemException insufficientScope(String scopes, String place, Exchange exchange) {
        exchange.getMessage()
                .setHeader(
                        HttpHeaders.WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\", scope=\"" + scopes + "\"");
        return new ProblemException(403, place + "the token has no scope " + scopes);
    }

    /**
     * The caller in the tenant that the request names.
     *
     * @param tenant from the query, or null
     */
    static Caller inTenant(String tenant, Caller caller, String operationId, Exchange exchange) {
        if (tenant == null || tenant.equals(caller.tenant())) {
            return caller;
        }
        requireScope(Caller.ALL_TENANTS, caller, exchange);
        LOG.info("{} of tenant {} works for tenant {}: {}", caller.principal(), caller.tenant(), tenant, operationId);
        return caller.actingFor(tenant);
    }
}
