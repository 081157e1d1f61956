package routes.platform.http;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.camel.Exchange;
import routes.platform.Caller;
import routes.platform.Sha256;

/**
 * The request that an exchange answers. Steps read it from the exchange, whatever the message holds by then.
 *
 * @param caller the sender
 * @param correlationId from {@code X-Correlation-Id}, or a new one
 * @param requestId identifies this request alone; becomes the causationId of its events and commands
 * @param idempotencyKey from {@code Idempotency-Key}
 * @param method such as POST
 * @param path without the query
 * @param query the parameters as sent, decoded
 * @param parameters their typed values by name, with the defaults of absent ones
 * @param mediaType of the body, without parameters; empty when the operation takes none
 */
public record HttpRequest(
        Caller caller,
        String correlationId,
        String requestId,
        Optional<String> idempotencyKey,
        String method,
        String path,
        Map<String, String> query,
        Map<String, Object> parameters,
        String mediaType) {

    /** Exchange property: the SHA-256 of a request with an idempotency key, and of its body once that is read. */
    public static final String FINGERPRINT = "fingerprint";

    private static final String PROPERTY = "httpRequest";

    /** The request that the exchange answers. */
    public static HttpRequest of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, HttpRequest.class);
    }

    /**
     * Reads the head of a request that no operation of the contract describes, and binds it to the exchange. The route
     * reads query, headers and body from the servlet's request.
     */
    public static HttpServletRequest readHead(Exchange exchange) {
        HttpServletRequest servlet =
                exchange.getMessage().getHeader("CamelHttpServletRequest", HttpServletRequest.class);
        exchange.setProperty(ProblemResponses.SERVLET_REQUEST, servlet);
        String correlationId = (String) servlet.getAttribute(RequestFilter.CORRELATION_ID);
        exchange.setProperty(CorrelationId.PROPERTY, correlationId);
        new HttpRequest(
                        CallerResolver.resolve(servlet),
                        correlationId,
                        UUID.randomUUID().toString(),
                        Optional.empty(),
                        servlet.getMethod(),
                        (String) servlet.getAttribute(RequestFilter.PATH),
                        Map.of(),
                        Map.of(),
                        "")
                .bindTo(exchange);
        return servlet;
    }

    public void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
        exchange.setProperty(CorrelationId.PROPERTY, correlationId);
    }

    /** Whether the exchange answers a HEAD, which every other step sees as a GET. */
    public static boolean isHead(Exchange exchange) {
        ServletRequest request = exchange.getProperty(ProblemResponses.SERVLET_REQUEST, ServletRequest.class);
        while (request instanceof ServletRequestWrapper wrapper) {
            request = wrapper.getRequest();
        }
        return request instanceof HttpServletRequest sent && sent.getMethod().equals("HEAD");
    }

    /** The value of a query parameter that is text, or null. */
    public String text(String name) {
        return (String) parameters.get(name);
    }

    /** The value of a query parameter that is a whole number or an instant (epoch milliseconds), or null. */
    public Long number(String name) {
        return (Long) parameters.get(name);
    }

    /** Whether a query parameter is true. */
    public boolean isTrue(String name) {
        return Boolean.TRUE.equals(parameters.get(name));
    }

    /** Returns a SHA-256 of everything but the body, which the caller adds; equal requests have equal digests. */
    public MessageDigest digest() {
        MessageDigest digest = Sha256.newDigest();
        String where = RequestPath.withIdsInOneSpelling(path);
        digest.update((method + ' ' + where + ' ' + new TreeMap<>(query) + '\n' + mediaType + '\n')
                .getBytes(StandardCharsets.UTF_8));
        return digest;
    }
}
