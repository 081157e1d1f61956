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
    final CallResult result;

    /** 0 without an answer. */
    final int status;

    /** The status, or the class of an exception. */
    final String reason;

    private FailedCall(String method, URI uri, CallResult result, int status, String reason) {
        super("a call failed", null, false, false);
        this.method = method;
        this.uri = uri;
        this.result = result;
        this.status = status;
        this.reason = reason;
    }

    /** @param isFhir whether the answer is FHIR, and not the page of a proxy */
    static FailedCall answered(String method, URI uri, int status, boolean isFhir) {
        return new FailedCall(method, uri, CallResult.ofAnswer(status, isFhir), status, String.valueOf(status));
    }

    static FailedCall broken(String method, URI uri, IOException failure) {
        return new FailedCall(
                method,
                uri,
                CallResult.ofFailure(failure),
                0,
                failure.getClass().getSimpleName());
    }
}
