package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import routes.platform.Caller;
import routes.platform.PlainText;

/** Reads the caller from the token, which is the only thing that says who calls. */
final class TokenCaller {

    static final String TENANT = "tenant";
    static final String ORGANIZATION = "organization";

    private static final String ROLES = "roles";

    /** Text with spaces between (RFC 9068, section 2.2.3), or a list. */
    private static final String SCOPE = "scope";

    private TokenCaller() {}

    /** @throws IllegalStateException when the request has passed without a token, which the configuration does not let happen */
    static Caller of(HttpServletRequest request) {
        if (!(request.getUserPrincipal() instanceof JwtAuthenticationToken authenticated)) {
            throw new IllegalStateException("a request without a token has come to an operation");
        }
        Jwt token = authenticated.getToken();
        return new Caller(
                token.getSubject(),
                token.getClaimAsString(TENANT),
                token.getClaimAsString(TENANT),
                token.getClaimAsString(ORGANIZATION),
                texts(token.getClaim(ROLES)),
                token.getClaim(SCOPE) instanceof String scopes
                        ? texts(List.of(scopes.split(" ")))
                        : texts(token.getClaim(SCOPE)));
    }

    /** A list, or one; what is no text does not count. */
    private static Set<String> texts(Object claim) {
        Collection<?> sent =
                claim instanceof Collection<?> several ? several : claim == null ? Set.of() : Set.of(claim);
        return sent.stream().filter(PlainText::isOne).map(String.class::cast).collect(Collectors.toUnmodifiableSet());
    }
}
