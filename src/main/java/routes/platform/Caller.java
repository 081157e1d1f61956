package routes.platform;

import java.util.Set;

/**
 * Who sends a request, as the token says and nothing else.
 *
 * @param principal claim {@code sub}; the userId of commands, {@code security.principal} of events, and the owner of idempotency keys
 * @param tenant what the caller's events and reads belong to; claim {@code tenant}, unless an operator works for another one
 * @param organization claim {@code organization}, null without one
 * @param roles claim {@code roles}, empty without one
 * @param scopes claim {@code scope}: what the caller may do
 */
public record Caller(String principal, String tenant, String organization, Set<String> roles, Set<String> scopes) {

    /** What records without a tenant belong to. */
    public static final String DEFAULT_TENANT = "default";

    /** The scope of operators who may work for every tenant. */
    public static final String ALL_TENANTS = "tenants.all";

    public boolean may(String scope) {
        return scopes.contains(scope);
    }

    /** The same caller at work for another tenant. */
    public Caller workingFor(String otherTenant) {
        return new Caller(principal, otherTenant, organization, roles, scopes);
    }
}
