package routes.fhir;

import java.util.Map;
import org.apache.camel.Exchange;

/**
 * The server's answer to a write.
 *
 * @param status such as 201
 * @param headers those that the caller gets, and {@code X-Request-ID}; names in lower case
 * @param body as the server sent it, with its own addresses; null for a long one, which passes as a stream
 */
record FhirAnswer(int status, Map<String, String> headers, byte[] body) {

    private static final String PROPERTY = "fhirAnswer";

    /** Leaves out everything that may tell of a patient. */
    @Override
    public String toString() {
        return "FhirAnswer[status=" + status + "]";
    }

    static FhirAnswer of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, FhirAnswer.class);
    }

    void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
    }
}
