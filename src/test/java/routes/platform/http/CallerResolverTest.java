package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import routes.platform.Caller;

class CallerResolverTest {

    static Stream<Arguments> scopes() {
        return Stream.of(
                Arguments.of("events.write patients.read", Set.of("events.write", "patients.read")),
                Arguments.of(" events.write  patients.read ", Set.of("events.write", "patients.read")),
                Arguments.of("", Set.of()),
                Arguments.of(List.of("events.write", "patients.read"), Set.of("events.write", "patients.read")),
                Arguments.of(List.of("", "events.write"), Set.of("events.write")),
                Arguments.of(List.of(1, "events.write"), Set.of("events.write")),
                Arguments.of(7, Set.of()),
                Arguments.of(null, Set.of()));
    }

    @ParameterizedTest
    @MethodSource("scopes")
    void readsScopesFromATextOrAList(Object claim, Set<String> expected) {
        assertThat(caller("scope", claim).scopes()).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("scopes")
    void readsNoScopesFromAnotherClaim(Object claim) {
        assertThat(caller("scp", claim).scopes()).isEmpty();
    }

    private static Caller caller(String name, Object claim) {
        Jwt.Builder token =
                Jwt.withTokenValue("t").header("alg", "RS256").subject("s").claim("tenant", "default");
        if (claim != null) {
            token.claim(name, claim);
        }
        MockHttpServletRequest request = new MockHttpServletRequest();
        request.setUserPrincipal(new JwtAuthenticationToken(token.build()));
        return CallerResolver.resolve(request);
    }
}
