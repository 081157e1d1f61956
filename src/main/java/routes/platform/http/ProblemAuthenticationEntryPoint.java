package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.http.HttpHeaders;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.oauth2.core.OAuth2AuthenticationException;
import org.springframework.security.oauth2.jwt.JwtValidationException;
import org.springframework.security.oauth2.server.resource.BearerTokenError;
import org.springframework.security.web.AuthenticationEntryPoint;
import org.springframework.stereotype.Component;

/**
 * Answers 401 to a request without a valid token, as a problem.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc6750#section-3">RFC 6750, section 3</a>
 */
@Component
class ProblemAuthenticationEntryPoint implements AuthenticationEntryPoint {

    private final ProblemResponses problems;

    ProblemAuthenticationEntryPoint(ProblemResponses problems) {
        this.problems = problems;
    }

    @Override
    public void commence(HttpServletRequest request, HttpServletResponse response, AuthenticationException why)
            throws IOException {
        String correlationId = (String) request.getAttribute(RequestFilter.CORRELATION_ID);
        if (why instanceof OAuth2AuthenticationException sent) {
            response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
            int status = sent.getError() instanceof BearerTokenError error
                    ? error.getHttpStatus().value()
                    : HttpServletResponse.SC_UNAUTHORIZED;
            problems.reject(request, response, status, "the bearer token is not valid" + reason(why), correlationId);
        } else {
            response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
            problems.reject(
                    request,
                    response,
                    HttpServletResponse.SC_UNAUTHORIZED,
                    "a bearer token is required",
                    correlationId);
        }
    }

    /** Names the invalid claim, but only when the signature is valid. */
    private static String reason(AuthenticationException why) {
        return why.getCause() instanceof JwtValidationException claims
                ? ": " + claims.getErrors().iterator().next().getDescription()
                : "";
    }
}
