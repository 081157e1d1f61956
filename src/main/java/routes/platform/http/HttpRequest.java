package routes.platform.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.camel.Exchange;
import routes.platform.Caller;

/**
 * What every step needs to know of the request it works for, whatever has become of the message since.
 *
 * @param caller who sends it
 * @param correlationId from {@code X-Correlation-Id}, or made up
 * @param requestId identifies this request alone; the causationId of what follows from it
 * @param idempotencyKey from {@code Idempotency-Key}
 * @param method such as POST
 * @param path without the query
 * @param query its parameters as they were sent, decoded
 * @param parameters their values by name, and the defaults of those that were not sent
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

    /** Exchange property: the {@link #digest()} of a request with a key and of its body, once that has been read. */
    public static final String FINGERPRINT = "fingerprint";

    private static final String PROPERTY = "httpRequest";

    /** The request that the exchange answers. */
    public static HttpRequest of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, HttpRequest.class);
    }

    public void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
        exchange.setProperty(CorrelationId.PROPERTY, correlationId);
    }

    /** The value of a query parameter that is text, or null. */
    public String text(String name) {
        return (String) parameters.get(name);
    }

    /** The value of a query parameter that is a whole number, or null; of one that is an instant, epoch milliseconds. */
    public Long number(String name) {
        return (Long) parameters.get(name);
    }

    /** Whether a query parameter is true. */
    public boolean isTrue(String name) {
        return Boolean.TRUE.equals(parameters.get(name));
    }

    /** A SHA-256 that has taken in what is asked for, and waits for the body: the same digest is the same request. */
    public MessageDigest digest() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            String where = RequestPath.withIdsInOneSpelling(path);
            digest.update((method + ' ' + where + ' ' + new TreeMap<>(query) + '\n' + mediaType + '\n')
                    .getBytes(StandardCharsets.UTF_8));
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
