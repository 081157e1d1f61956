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
import org.springframework.util.StringUtils;
import org.springframework.util.unit.DataSize;
import routes.platform.PlainText;
import routes.platform.TenantName;
import routes.platform.fhir.FhirSettingFailureAnalyzer.FhirSettingException;

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

    /** @throws FhirSettingException when a server cannot be called, or a limit lets nothing through */
    void check() {
        servers.forEach(FhirSettings::check);
        if (publicUrl != null) {
            checkUrl("public-url", publicUrl);
        }
        require(isPositive(connectTimeout), "connect-timeout", "It has to be more than 0.");
        require(
                isPositive(responseTimeout) && responseTimeout.compareTo(connectTimeout) > 0,
                "response-timeout",
                "It has to be more than connect-timeout, which is %s.".formatted(connectTimeout));
        require(isPositive(maxBody), "max-body", "It has to be from 1 byte to 1 GB.");
        require(
                maxBytes != null && maxBytes.compareTo(maxBody) >= 0,
                "max-bytes",
                "It has to be at least max-body, which is %s.".formatted(maxBody));
        require(maxRequests >= 1, "max-requests", "It has to be at least 1.");
        require(maxOwnCalls >= 1, "max-own-calls", "It has to be at least 1.");
        require(isPositive(maxOwnAnswer), "max-own-answer", "It has to be from 1 byte to 1 GB.");
    }

    private static void check(String tenant, Server server) {
        String prefix = "servers." + tenant;
        require(TenantName.isValid(tenant), prefix, "It has to be the name of a tenant.");
        checkUrl(prefix + ".url", server.url());
        require(
                server.username() == null || server.bearerToken() == null,
                prefix + ".bearer-token",
                "A server takes a username or a token, and not both.");
        require(
                server.username() != null || server.password() == null,
                prefix + ".password",
                "A password needs a username.");
        require(
                server.username() == null
                        || isHeaderText(server.username()) && !server.username().contains(":"),
                prefix + ".username",
                "It has to be a name without a colon and control characters.");
        require(
                server.bearerToken() == null || isHeaderText(server.bearerToken()),
                prefix + ".bearer-token",
                "It has to be a token without control characters.");
    }

    private static void checkUrl(String name, URI url) {
        require(url != null, name, "Every server needs an address.");
        require(
                url.getScheme() != null && SCHEMES.contains(url.getScheme()) && url.getHost() != null,
                name,
                "It has to be an absolute URL that begins with http:// or https://.");
        // a name and a password in the address would appear wherever the address does
        require(url.getRawUserInfo() == null, name, "Set username and password by their properties.");
        require(
                url.getRawQuery() == null && url.getRawFragment() == null,
                name,
                "It has to be an address without a query and a fragment.");
        require(!url.getPath().endsWith("/"), name, "It has to end without a slash.");
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

    private static void require(boolean isGood, String name, String reason) {
        if (!isGood) {
            throw new FhirSettingException("event-broker.fhir." + name, reason);
        }
    }
}
