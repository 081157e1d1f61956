package sandbox;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.OpenApi;

/**
 * Runs Spring Authorization Server from {@code TokenIssuer.java} of the test resources, with a class path of its own.
 * Its clients have the scopes of {@code openapi.yaml}.
 */
final class TokenIssuerServer implements Server {

    static final String NAME = "token-issuer";

    static final String AUDIENCE = "event-broker";

    /** Names the clients of TokenIssuer.java on the page /docs. */
    private static final String CLIENTS = "The sandbox has the clients `sandbox` (its secret is `sandbox-secret`), "
            + "`reader` (`reader-secret`), who may only read, and `other` (`other-secret`), of another tenant.";

    private static final String VERSION = "3.5.9";
    private static final int MAX_HEAP_MIB = 128;
    private static final int KEY_BITS = 2048;
    private static final String SOURCE = "TokenIssuer.java";
    private static final String MAIN = "sandbox.TokenIssuer";
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

    private final MavenArtifacts artifacts;
    private final Distributions distributions;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PROBE_TIMEOUT)
            .build();

    TokenIssuerServer(MavenArtifacts artifacts, Distributions distributions) {
        this.artifacts = artifacts;
        this.distributions = distributions;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int contractPort() {
        return 9000;
    }

    @Override
    public List<Path> install() {
        return distributions.withProgram(
                SOURCE,
                artifacts.classPath(
                        "org.springframework.boot:spring-boot-starter-oauth2-authorization-server:" + VERSION));
    }

    @Override
    public void format(Site site) throws IOException, JOSEException {
        JWKSet keys = new JWKSet(new RSAKeyGenerator(KEY_BITS)
                .keyID(UUID.randomUUID().toString())
                .algorithm(JWSAlgorithm.RS256)
                .generate());
        Files.writeString(keys(site.data()), keys.toString(false));
    }

    @Override
    public Launch launch(Site site) throws IOException {
        String scopes = String.join(",", new OpenApi(new ClassPathResource("contract/openapi.yaml")).declaredScopes());
        return Launch.java(
                site,
                MAX_HEAP_MIB,
                List.of("-Dlogging.level.root=warn", "-Dspring.main.banner-mode=off"),
                List.of(
                        MAIN,
                        "--server.address=" + Ports.LOOPBACK,
                        "--server.port=" + site.port(),
                        "--server.tomcat.threads.max=8",
                        "--issuer=" + address(site.port()),
                        "--audience=" + AUDIENCE,
                        "--keys=" + keys(site.data()),
                        "--scopes=" + scopes));
    }

    @Override
    public boolean ready(Site site) throws IOException, InterruptedException {
        HttpRequest keys = HttpRequest.newBuilder(URI.create(jwkSet(site.port())))
                .timeout(PROBE_TIMEOUT)
                .build();
        return http.send(keys, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    }

    /** Returns its address, which is also the {@code iss} of its tokens. */
    @Override
    public String address(int port) {
        return "http://localhost:" + port;
    }

    @Override
    public Map<String, String> properties(int port) {
        return Map.of(
                "event-broker.http.token-url",
                address(port) + "/oauth2/token",
                "event-broker.http.token-clients",
                CLIENTS,
                "spring.security.oauth2.resourceserver.jwt.issuer-uri",
                address(port),
                "spring.security.oauth2.resourceserver.jwt.jwk-set-uri",
                jwkSet(port));
    }

    /** Returns the file with the private keys, in its data directory. */
    static Path keys(Path data) {
        return data.resolve("keys.json");
    }

    private static String jwkSet(int port) {
        return "http://%s:%d/oauth2/jwks".formatted(Ports.LOOPBACK, port);
    }
}
