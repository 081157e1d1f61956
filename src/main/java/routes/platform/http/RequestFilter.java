package routes.platform.http;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import routes.platform.error.Failures;

/** First and last to see a request: gives it its correlation id, on the response and in the log too, and leaves its body unread. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
class RequestFilter extends OncePerRequestFilter {

    /** Request attribute. */
    static final String CORRELATION_ID = RequestFilter.class.getName() + ".correlationId";

    /** Letters, digits, and the marks that RFC 3986 calls unreserved. */
    private static final Pattern NEEDLESSLY_ENCODED =
            Pattern.compile("%(?:2[de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])", Pattern.CASE_INSENSITIVE);

    private static final Logger LOG = LoggerFactory.getLogger(RequestFilter.class);

    private final Problems problems;
    private final Failures failures;

    RequestFilter(Problems problems, Failures failures) {
        this.problems = problems;
        this.failures = failures;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Optional<String> sent = CorrelationId.of(request.getHeader(CorrelationId.HEADER));
        String correlationId = sent.orElseGet(CorrelationId::create);
        response.setHeader(CorrelationId.HEADER, correlationId);
        if (sent.isEmpty()) {
            problems.refuse(response, 400, "header X-Correlation-Id is malformed", correlationId);
            return;
        }
        if (!isCanonical(request.getRequestURI())) {
            problems.refuse(response, 404, "no such resource", correlationId);
            return;
        }
        if (isEncoded(request)) {
            problems.refuse(response, 415, "header Content-Encoding must be absent", correlationId);
            return;
        }
        if (isForm(request)) {
            problems.refuse(response, 415, "forms are not accepted", correlationId);
            return;
        }
        request.setAttribute(CORRELATION_ID, correlationId);
        MDC.put(CorrelationId.PROPERTY, correlationId);
        try {
            chain.doFilter(new UnreadBody(request), response);
        } catch (AuthenticationServiceException e) {
            // the keys of the issuer cannot be had
            LOG.warn("answered 503: the keys of the token issuer cannot be had: {}", failures.describe(e));
            problems.refuse(response, 503, "the token cannot be checked now, try again", correlationId);
        } finally {
            MDC.remove(CorrelationId.PROPERTY);
        }
    }

    /**
     * Whether the path has one spelling for all that match it: Spring decodes it and leaves out what is behind a semicolon, and slashes
     * too many; Camel does not.
     */
    private static boolean isCanonical(String path) {
        return path.indexOf(';') < 0
                && !path.contains("//")
                && !NEEDLESSLY_ENCODED.matcher(path).find();
    }

    /** Bodies are read as they are. */
    private static boolean isEncoded(HttpServletRequest request) {
        String encoding = request.getHeader("Content-Encoding");
        return encoding != null && !encoding.equalsIgnoreCase("identity");
    }

    /** No operation takes one, and Camel would make a message header of every field. */
    private static boolean isForm(HttpServletRequest request) {
        String type =
                request.getContentType() == null ? "" : request.getContentType().toLowerCase(Locale.ROOT);
        return type.startsWith("application/x-www-form-urlencoded") || type.startsWith("multipart/");
    }

    private static final class UnreadBody extends HttpServletRequestWrapper {

        UnreadBody(HttpServletRequest request) {
            super(request);
        }

        @Override
        public BufferedReader getReader() throws IOException {
            return new RequestBody(getInputStream());
        }
    }
}
