package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import routes.platform.Caller;

/** Identifies the client that a limit counts a request against; all requests without a token are one client. */
record ClientKey(String tenant, String principal) {

    private static final ClientKey WITHOUT_TOKEN = new ClientKey("", "");

    boolean hasToken() {
        return !equals(WITHOUT_TOKEN);
    }

    static ClientKey of(Caller caller) {
        return new ClientKey(caller.homeTenant(), caller.principal());
    }

    static ClientKey of(HttpServletRequest request) {
        return request.getUserPrincipal() instanceof JwtAuthenticationToken authenticated
                ? new ClientKey(
                        authenticated.getToken().getClaimAsString(CallerResolver.TENANT),
                        authenticated.getToken().getSubject())
                : WITHOUT_TOKEN;
    }
}
