package routes.platform;

/**
 * Who sends a request.
 *
 * @param principal becomes {@code security.principal} of what the request publishes, and owns its idempotency keys
 * @param tenant what the caller's events and reads belong to
 */
public record Caller(String principal, String tenant) {

    /** What records without a tenant belong to. */
    public static final String DEFAULT_TENANT = "default";

    /** Everybody, until requests carry a token. */
    public static final Caller SANDBOX = new Caller("sandbox", DEFAULT_TENANT);
}
