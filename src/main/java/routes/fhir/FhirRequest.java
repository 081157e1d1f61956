package routes.fhir;

import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import routes.platform.Caller;

/**
 * A request to the FHIR facade, read and checked.
 *
 * @param caller the sender
 * @param correlationId from {@code X-Correlation-Id}, or a new one
 * @param causationId identifies this request alone
 * @param requestId 16 random letters and digits, which the server keeps with each version that it makes
 * @param method such as GET
 * @param path below {@code /fhir}, without a leading slash and in one spelling, such as {@code Patient/123}
 * @param query as the server gets it, or null
 * @param headers as the server gets them
 * @param body as the server gets it; empty when there is none
 * @param format of the body
 * @param isBundle whether it is a transaction or a batch
 * @param publicUrl the address of the facade for this caller, without a slash at its end
 * @param interactions everything that it asks for, in the order of the bundle's entries
 */
record FhirRequest(
        Caller caller,
        String correlationId,
        String causationId,
        String requestId,
        String method,
        String path,
        String query,
        Map<String, String> headers,
        byte[] body,
        FhirFormat format,
        boolean isBundle,
        String publicUrl,
        List<FhirInteraction> interactions) {

    private static final String PROPERTY = "fhirRequest";

    /** Exchange property: whether the request is a write. The route asks for it without reflection. */
    private static final String IS_WRITE = "fhirIsWrite";

    /** Leaves out everything that may tell of a patient. */
    @Override
    public String toString() {
        return "FhirRequest[method=" + method + ", requestId=" + requestId + "]";
    }

    static FhirRequest of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, FhirRequest.class);
    }

    void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
        exchange.setProperty(IS_WRITE, isWrite());
    }

    /** Whether it can make a version of a resource. */
    boolean isWrite() {
        return interactions.stream().anyMatch(FhirInteraction::isWrite);
    }
}
