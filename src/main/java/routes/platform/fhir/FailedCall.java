package routes.platform.fhir;

import java.io.IOException;
import java.net.URI;

/**
 * Carries a failed call through HAPI's client, which would otherwise put the body of the answer into an exception of
 * its own. {@link TenantFhirClient} turns it into a {@link FhirFailure}.
 */
final class FailedCall extends RuntimeException {

    final String method;
    final transient URI uri;

    /** 0 without an answer. */
    final int status;

    /** Whether the answer is FHIR, and not the page of a proxy. */
    final boolean isFhir;

    /** Null when there is a whole answer. */
    final IOException broken;

    private FailedCall(String method, URI uri, int status, boolean isFhir, IOException broken) {
        super("a call failed", null, false, false);
        this.method = method;
        this.uri = uri;
        this.status = status;
        this.isFhir = isFhir;
        this.broken = broken;
    }

    static FailedCall answered(String method, URI uri, int status, boolean isFhir) {
        return new FailedCall(method, uri, status, isFhir, null);
    }

    static FailedCall broken(String method, URI uri, IOException failure) {
        return new FailedCall(method, uri, 0, false, failure);
    }
}
