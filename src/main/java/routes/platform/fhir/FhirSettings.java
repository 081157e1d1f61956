package routes.platform.fhir;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.util.StringUtils;
import org.springframework.util.unit.DataSize;
import routes.platform.PlainText;
import routes.platform.TenantName;

/**
 * Settings of the FHIR facade and of the runtime's own FHIR client.
 *
 * @param servers the server of each tenant, by the tenant's name
 * @param publicUrl the address at which callers reach {@code /fhir}; null for the address of each request
 * @param connectTimeout the time for a connection to a server, and for a free one of the pool
 * @param responseTimeout the time for the whole answer of a server
 * @param maxBody the largest request body
 * @param maxBytes bytes of all request bodies that the facade holds at a time
 * @param maxRequests requests that may wait for FHIR servers at a time
 * @param maxOwnCalls calls of the runtime itself that may wait for one server at a time
 * @param maxOwnAnswer the largest answer to such a call
 * @param operations the open operations, such as {@code $validate}
 */
@ConfigurationProperties("event-broker.fhir")
public record FhirSettings(
        Map<String, Server> servers,
        URI publicUrl,
        Duration connectTimeout,
        Duration responseTimeout,
        DataSize maxBody,
        DataSize maxBytes,
        int maxRequests,
        int maxOwnCalls,
        DataSize maxOwnAnswer,
        List<String> operations) {

    private static final String PREFIX = "event-broker.fhir.";

    /** Replaces a value that may hold a secret. */
    private static final String HIDDEN = "(hidden)";

    private static final Set<String> SCHEMES = Set.of("http", "https");

    /**
     * One server and our credentials for it.
     *
     * @param url the base of its resources, without a slash at its end
     * @param username for basic authentication, or null
     * @param password for basic authentication, or null
     * @param bearerToken replaces name and password, or null
     */
    public record Server(URI url, String username, String password, String bearerToken) {

        public Server {
            // an empty environment variable means none
            username = StringUtils.hasLength(username) ? username : null;
            password = StringUtils.hasLength(password) ? password : null;
            bearerToken = StringUtils.hasLength(bearerToken) ? bearerToken : null;
        }

        /** The value of the header {@code Authorization}; empty for a server without credentials. */
        public Optional<String> authorization() {
            if (bearerToken != null) {
                return Optional.of("Bearer " + bearerToken);
            }
            return Optional.ofNullable(username).map(name -> {
                String credentials = name + ":" + (password == null ? "" : password);
                return "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
            });
        }

        /** Leaves out the credentials. */
        @Override
        public String toString() {
            return "Server[url=" + url + "]";
        }
    }

    public FhirSettings {
        servers = servers == null ? Map.of() : Map.copyOf(servers);
        operations = operations == null ? List.of() : List.copyOf(operations);
    }

    /** The server of a tenant; empty when it has none. */
    public Optional<Server> server(String tenant) {
        return Optional.ofNullable(servers.get(tenant));
    }

    /**
     * @throws InvalidConfigurationPropertyValueException when a server cannot be called, or a limit lets nothing
     *     through
     */
    void check() {
        servers.forEach(FhirSettings::check);
        if (publicUrl != null) {
            checkUrl("public-url", publicUrl);
        }
        require(isPositive(connectTimeout), "connect-timeout", connectTimeout, "It has to be more than 0.");
        require(
                isPositive(responseTimeout) && responseTimeout.compareTo(connectTimeout) > 0,
                "response-timeout",
                responseTimeout,
                "It has to be more than connect-timeout, which is %s.".formatted(connectTimeout));
        require(isPositive(maxBody), "max-body", maxBody, "It has to be at least 1 byte.");
        require(maxRequests >= 1, "max-requests", maxRequests, "It has to be at least 1.");
        require(maxOwnCalls >= 1, "max-own-calls", maxOwnCalls, "It has to be at least 1.");
        require(isPositive(maxOwnAnswer), "max-own-answer", maxOwnAnswer, "It has to be from 1 byte to 1 GB.");
    }

    private static void check(String tenant, Server server) {
        String prefix = "servers." + tenant;
        require(TenantName.isValid(tenant), prefix, tenant, "It has to be the name of a tenant.");
        checkUrl(prefix + ".url", server.url());
        require(
                server.username() == null || server.bearerToken() == null,
                prefix + ".bearer-token",
                HIDDEN,
                "A server takes a username or a token, and not both.");
        require(
                server.username() != null || server.password() == null,
                prefix + ".password",
                HIDDEN,
                "A password needs a username.");
        require(
                server.username() == null
                        || isHeaderText(server.username()) && !server.username().contains(":"),
                prefix + ".username",
                HIDDEN,
                "It has to be a name without a colon and control characters.");
        require(
                server.bearerToken() == null || isHeaderText(server.bearerToken()),
                prefix + ".bearer-token",
                HIDDEN,
                "It has to be a token without control characters.");
    }

    private static void checkUrl(String name, URI url) {
        require(url != null, name, null, "Every server needs an address.");
        // a name and a password in the address would appear wherever the address does
        require(url.getRawUserInfo() == null, name, HIDDEN, "Set username and password by their properties.");
        require(
                url.getScheme() != null && SCHEMES.contains(url.getScheme()) && url.getHost() != null,
                name,
                url,
                "It has to be an absolute URL that begins with http:// or https://.");
        require(
                url.getRawQuery() == null && url.getRawFragment() == null,
                name,
                HIDDEN,
                "It has to be an address without a query and a fragment.");
        require(!url.getPath().endsWith("/"), name, url, "It has to end without a slash.");
    }

    private static boolean isHeaderText(String text) {
        return !PlainText.hasControlCharacters(text);
    }

    private static boolean isPositive(Duration time) {
        return time != null && time.toMillis() > 0;
    }

    private static boolean isPositive(DataSize size) {
        return size != null && size.toBytes() > 0 && size.compareTo(DataSize.ofGigabytes(1)) <= 0;
    }

    private static void require(boolean isGood, String name, Object value, String reason) {
        if (!isGood) {
            throw new InvalidConfigurationPropertyValueException(PREFIX + name, value, reason);
        }
    }
}
