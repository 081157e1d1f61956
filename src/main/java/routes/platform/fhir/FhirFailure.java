package routes.platform.fhir;

import routes.platform.error.ClassifiedException;
import routes.platform.error.FailureClassifier;

/**
 * Reports a failed call of a FHIR server. It has no cause, because HAPI's and Camel's exceptions repeat bodies, tokens
 * and addresses. Its message has the kind, the method, the type and id, the tenant and the status.
 */
public final class FhirFailure extends ClassifiedException {

    /** Decides the reaction to a failed call. */
    public enum Kind {
        /** The server does not answer, or cannot serve now, or refuses our credentials. Waiting helps. */
        DOWN(FailureClassifier.Kind.DEPENDENCY_DOWN),
        /** The server refuses this request for good. */
        REFUSED(FailureClassifier.Kind.POISON),
        /** The server does not have this resource, or no longer. */
        GONE(FailureClassifier.Kind.POISON),
        /** The resource is in another state than the request expects. */
        CONFLICT(FailureClassifier.Kind.POISON),
        /** The answer is not FHIR R4 or too large, or the call has a bug. */
        UNKNOWN(FailureClassifier.Kind.UNKNOWN);

        private final FailureClassifier.Kind failureKind;

        Kind(FailureClassifier.Kind failureKind) {
            this.failureKind = failureKind;
        }
    }

    private final CallResult result;
    private final boolean isWrite;
    private final int status;
    private final String reason;

    /**
     * @param isWrite whether the call was to change something
     * @param call such as {@code PUT Patient/1}
     * @param status of the answer; 0 without an answer
     * @param reason the status or the class of an exception
     */
    FhirFailure(CallResult result, boolean isWrite, String call, String tenant, int status, String reason) {
        super("%s: %s at the FHIR server of tenant %s: %s%s"
                .formatted(
                        result.kind(),
                        call,
                        tenant,
                        reason,
                        isWrite && result.mayHaveChanged() ? ", outcome unknown" : ""));
        this.result = result;
        this.isWrite = isWrite;
        this.status = status;
        this.reason = reason;
    }

    public Kind kind() {
        return result.kind();
    }

    /** The status of the answer; 0 when there was none. */
    public int status() {
        return status;
    }

    /**
     * Whether the call was a write that the server may have made. Only a write that can be repeated without a second
     * effect may follow: a PUT with a derived id, or a conditional create.
     */
    public boolean isOutcomeUnknown() {
        return isWrite && result.mayHaveChanged();
    }

    /** Whether another call would fail as well: the server is down, or all connections to it are in use. */
    public boolean isOfEveryCall() {
        return result.showsThatServerIsDown() || result == CallResult.NO_FREE_CONNECTION;
    }

    CallResult result() {
        return result;
    }

    String reason() {
        return reason;
    }

    @Override
    public FailureClassifier.Kind failureKind() {
        return result.kind().failureKind;
    }
}
