package routes.platform;

import java.util.Set;

/**
 * The sender of a request, read from the token alone.
 *
 * @param principal claim {@code sub}: the userId of commands, {@code security.principal} of events, and the owner of
 *     idempotency keys
 * @param homeTenant claim {@code tenant}
 * @param tenant owns the caller's events and reads: the home tenant, unless an operator acts for another
 * @param organization claim {@code organization}, null without one
 * @param roles claim {@code roles}, empty without one
 * @param scopes claim {@code scope}
 */
public record Caller(
        String principal,
        String homeTenant,
        String tenant,
        String organization,
        Set<String> roles,
        Set<String> scopes) {

    /** The tenant of records that name none. */
    public static final String DEFAULT_TENANT = "default";

    /** The scope of operators who may act for every tenant. */
    public static final String ALL_TENANTS = "tenants.all";

    public boolean hasScope(String scope) {
        return scopes.contains(scope);
    }

    /** Returns the same caller, acting for another tenant. */
    public Caller actingFor(String otherTenant) {
        return new Caller(principal, homeTenant, otherTenant, organization, roles, scopes);
    }

    /** Names the caller in records of the tenant: the principal, with the home tenant where that is another. */
    public String auditName() {
        return tenant.equals(homeTenant) ? principal : principal + " of tenant " + homeTenant;
    }
}
