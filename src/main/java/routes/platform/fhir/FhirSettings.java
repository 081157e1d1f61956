package routes.platform.fhir;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.unit.DataSize;

/**
 * Settings of the FHIR door and of the runtime's own FHIR client.
 *
 * @param servers the server of each tenant, by the tenant's name
 * @param publicUrl the address at which callers reach {@code /fhir}; null for the address of each request
 * @param connectTimeout the time for a connection to a server
 * @param responseTimeout the time for the whole answer of a server
 * @param maxBody the largest request body
 * @param maxRequests requests that may wait for FHIR servers at a time
 * @param operations the open operations, such as {@code $validate}
 */
@ConfigurationProperties("event-broker.fhir")
public record FhirSettings(
        Map<String, Server> servers,
        URI publicUrl,
        Duration connectTimeout,
        Duration responseTimeout,
        DataSize maxBody,
        int maxRequests,
        List<String> operations) {

    /**
     * One server and our credentials for it.
     *
     * @param url the base of its resources, without a slash at its end
     * @param username for basic authentication, or null
     * @param password for basic authentication, or null
     * @param bearerToken replaces name and password, or null
     */
    public record Server(URI url, String username, String password, String bearerToken) {}

    public FhirSettings {
        servers = servers == null ? Map.of() : Map.copyOf(servers);
    }

    /** The server of a tenant; empty when it has none. */
    public Optional<Server> server(String tenant) {
        return Optional.ofNullable(servers.get(tenant));
    }
}
