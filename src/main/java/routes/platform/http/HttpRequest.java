package routes.platform.http;

import java.util.Optional;
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
 * @param query as sent, null when there is none
 */
public record HttpRequest(
        Caller caller,
        String correlationId,
        String requestId,
        Optional<String> idempotencyKey,
        String method,
        String path,
        String query) {

    private static final String PROPERTY = "httpRequest";

    /** The request that the exchange answers. */
    public static HttpRequest of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, HttpRequest.class);
    }

    public void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
        exchange.setProperty(CorrelationId.PROPERTY, correlationId);
    }
}
