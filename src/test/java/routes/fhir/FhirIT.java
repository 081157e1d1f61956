package routes.fhir;

import java.net.URI;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import routes.RuntimeIT;
import routes.SignedTokens;

/**
 * Runs the facade in front of the FHIR server of the sandbox, which serves the tenants {@code default} and
 * {@code neighbour}.
 */
abstract class FhirIT extends RuntimeIT {

    static final String TENANT = "default";
    static final String ALL = "system/*.cruds";

    private static final SignedTokens SIGNED = new SignedTokens(SERVERS);

    static URI server;

    @BeforeAll
    static void startFhirServer() {
        server = URI.create(SERVERS.fhirServer().address());
    }

    URI facade() {
        return uri("/fhir");
    }

    /** A token of a client that no other call names, so that its limits are its own. */
    static String token(String... scopes) {
        return SIGNED.of("client-" + UUID.randomUUID(), TENANT, scopes);
    }

    static String tokenOf(String principal, String tenant, String... scopes) {
        return SIGNED.of(principal, tenant, scopes);
    }
}
