package routes.platform;

import java.util.Set;

/**
 * Who sends a request, as the token says and nothing else.
 *
 * @param principal claim {@code sub}; the userId of commands, {@code security.principal} of events, and the owner of idempotency keys
 * @param home claim {@code tenant}
 * @param tenant what the caller's events and reads belong to: home, unless an operator works for another one
 * @param organization claim {@code organization}, null without one
 * @param roles claim {@code roles}, empty without one
 * @param scopes claim {@code scope}: what the caller may do
 */
public record Caller(
        String principal, String home, String tenant, String organization, Set<String> roles, Set<String> scopes) {

    /** What records without a tenant belong to. */
    public static final String DEFAULT_TENANT = "default";

    /** The scope of operators who may work for every tenant. */
    public static final String ALL_TENANTS = "tenants.all";

    public boolean may(String scope) {
        return scopes.contains(scope);
    }

    /** The same caller at work for another tenant. */
    public Caller workingFor(String otherTenant) {
        return new Caller(principal, home, otherTenant, organization, roles, scopes);
    }

    /** Who did something, for the tenant whose records were touched. */
    public String signature() {
        return tenant.equals(home) ? principal : principal + " of tenant " + home;
    }
}
