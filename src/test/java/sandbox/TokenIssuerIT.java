package sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.OpenApi;

/** Checks the three clients of the sandbox's token issuer. */
class TokenIssuerIT {

    private static final ServerProcess ISSUER = Servers.shared().tokenIssuer();

    private static final Set<String> ALL = scopes();

    @Test
    void givesEachClientItsTenantAndScopes() throws Exception {
        assertThat(claims("sandbox").getStringClaim("tenant")).isEqualTo("default");
        assertThat(granted("sandbox")).containsExactlyInAnyOrderElementsOf(without(ALL, "tenants.all"));
        assertThat(claims("other").getStringClaim("tenant")).isEqualTo("other");
        assertThat(granted("other")).containsExactlyInAnyOrderElementsOf(without(ALL, "tenants.all"));
        assertThat(claims("reader").getStringClaim("tenant")).isEqualTo("default");
        assertThat(granted("reader"))
                .contains("prescriptions.read", "dead-letters.read", "activity.read", "system/*.rs")
                .allMatch(scope -> scope.endsWith(".read") || scope.equals("system/*.rs"));
        assertThat(granted("sandbox")).contains("system/*.cruds");
        for (String client : List.of("sandbox", "reader", "other")) {
            JWTClaimsSet claims = claims(client);
            assertThat(claims.getSubject()).isEqualTo(client);
            assertThat(claims.getIssuer()).isEqualTo(ISSUER.address());
            assertThat(claims.getAudience()).containsExactly("event-broker");
            assertThat(claims.getStringClaim("organization")).isNotEmpty();
            assertThat(claims.getStringListClaim("roles")).isNotEmpty();
            assertThat(claims.getExpirationTime()).isNotNull();
        }
    }

    @Test
    void givesRequestedScopesThatTheClientHas() throws Exception {
        assertThat(granted("sandbox", "tenants.all", "dead-letters.read"))
                .containsExactlyInAnyOrder("tenants.all", "dead-letters.read");
        assertThat(granted("other", "system/*.rs")).containsExactly("system/*.rs");
        assertThatThrownBy(() -> granted("reader", "system/*.cruds")).hasMessageContaining("invalid_scope");
        assertThatThrownBy(() -> granted("reader", "events.write")).hasMessageContaining("invalid_scope");
        assertThatThrownBy(() -> granted("other", "tenants.all")).hasMessageContaining("invalid_scope");
    }

    @Test
    void signsWithTheSameKeyAfterAKill() throws Exception {
        SignedJWT before = token("sandbox");

        ISSUER.kill();
        ISSUER.start();

        JWKSet keys =
                JWKSet.load(URI.create(ISSUER.properties().get("spring.security.oauth2.resourceserver.jwt.jwk-set-uri"))
                        .toURL());
        assertThat(before.verify(new RSASSAVerifier(
                        keys.getKeyByKeyId(before.getHeader().getKeyID()).toRSAKey())))
                .isTrue();
        assertThat(keys.toString(false)).isEqualTo(keys.toPublicJWKSet().toString(false));
    }

    @Test
    void letsTheDocumentationPageLogIn() throws Exception {
        HttpResponse<Void> preflight = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(ISSUER.address() + "/oauth2/token"))
                                .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                                .header("Origin", "http://localhost:8080")
                                .header("Access-Control-Request-Method", "POST")
                                .header("Access-Control-Request-Headers", "authorization,x-requested-with")
                                .build(),
                        HttpResponse.BodyHandlers.discarding());

        assertThat(preflight.statusCode()).isEqualTo(200);
        assertThat(preflight.headers().firstValue("Access-Control-Allow-Origin"))
                .contains("http://localhost:8080");
        assertThat(preflight
                        .headers()
                        .firstValue("Access-Control-Allow-Headers")
                        .orElseThrow())
                .contains("authorization");
    }

    private static Set<String> granted(String client, String... scopes) throws Exception {
        return new TreeSet<>(token(client, scopes).getJWTClaimsSet().getStringListClaim("scope"));
    }

    private static JWTClaimsSet claims(String client) throws Exception {
        return token(client).getJWTClaimsSet();
    }

    private static SignedJWT token(String client, String... scopes) throws Exception {
        return SignedJWT.parse(new Tokens(ISSUER.address()).of(client, scopes).substring("Bearer ".length()));
    }

    private static Set<String> without(Set<String> scopes, String scope) {
        Set<String> others = new TreeSet<>(scopes);
        others.remove(scope);
        return others;
    }

    private static Set<String> scopes() {
        try {
            return new OpenApi(new ClassPathResource("contract/openapi.yaml")).declaredScopes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
