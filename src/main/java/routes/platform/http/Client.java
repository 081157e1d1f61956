package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import routes.platform.Caller;

/** Whose share a request is of: all that come without a token are one client. */
record Client(String tenant, String principal) {

    private static final Client WITHOUT_TOKEN = new Client("", "");

    boolean hasToken() {
        return !equals(WITHOUT_TOKEN);
    }

    static Client of(Caller caller) {
        return new Client(caller.home(), caller.principal());
    }

    static Client of(HttpServletRequest request) {
        return request.getUserPrincipal() instanceof JwtAuthenticationToken authenticated
                ? new Client(
                        authenticated.getToken().getClaimAsString(TokenCaller.TENANT),
                        authenticated.getToken().getSubject())
                : WITHOUT_TOKEN;
    }
}
