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

/** Resolves the caller from the token alone. */
final class CallerResolver {

    static final String TENANT = "tenant";
    static final String ORGANIZATION = "organization";

    private static final String ROLES = "roles";

    /** A text of scopes separated by spaces (RFC 9068, section 2.2.3), or a list. */
    private static final String SCOPE = "scope";

    private CallerResolver() {}

    /**
     * @throws IllegalStateException when the request has no token: {@link SecurityConfiguration} must not let it pass
     */
    static Caller resolve(HttpServletRequest request) {
        if (!(request.getUserPrincipal() instanceof JwtAuthenticationToken authenticated)) {
            throw new IllegalStateException("a request without a token has reached an operation");
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

    /** Reads a list or a single value; skips values that are not plain text. */
    private static Set<String> texts(Object claim) {
        Collection<?> sent =
                claim instanceof Collection<?> several ? several : claim == null ? Set.of() : Set.of(claim);
        return sent.stream().filter(PlainText::isValid).map(String.class::cast).collect(Collectors.toUnmodifiableSet());
    }
}
