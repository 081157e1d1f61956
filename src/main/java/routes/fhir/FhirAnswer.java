package routes.fhir;

import java.util.Map;
import org.apache.camel.Exchange;

/**
 * The server's answer to a write, whole.
 *
 * @param status such as 201
 * @param headers those that the caller gets, and {@code X-Request-ID}; names in lower case
 * @param body as the server sent it, with its own addresses
 */
record FhirAnswer(int status, Map<String, String> headers, byte[] body) {

    private static final String PROPERTY = "fhirAnswer";

    static FhirAnswer of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, FhirAnswer.class);
    }

    void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
    }
}
