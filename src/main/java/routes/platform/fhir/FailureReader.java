package routes.platform.fhir;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.core.NestedExceptionUtils;

/**
 * Names a failed call of a tenant's server, without a value.
 *
 * @param base the base of the server's resources, without a slash at its end
 */
record FailureReader(String tenant, String base) {

    private static final Pattern RESOURCE =
            Pattern.compile("([A-Z][A-Za-z]{1,63})(/[A-Za-z0-9.-]{1,64})?(/_history(/[A-Za-z0-9.-]{1,64})?)?");

    /** Such as {@code metadata}, {@code _history} or {@code Patient/_search}. */
    private static final Pattern OTHER = Pattern.compile("([A-Z][A-Za-z]{1,63}/)?[$_a-z][a-z-]{0,63}");

    private static final Set<String> READS = Set.of("GET", "HEAD", "OPTIONS");

    FhirFailure failure(FailedCall call) {
        String path = path(call.uri.toString());
        boolean isWrite = !READS.contains(call.method) && !path.endsWith("/_search");
        String name = (call.method + " " + target(path)).trim();
        return new FhirFailure(result(call, path), isWrite, name, tenant, call.status, call.reason);
    }

    /** An unknown type or page is a mistake of the call, and not a resource that is gone. */
    private static CallResult result(FailedCall call, String path) {
        if (call.result != CallResult.GONE) {
            return call.result;
        }
        Matcher resource = RESOURCE.matcher(path);
        return resource.matches() && resource.group(2) != null ? CallResult.GONE : CallResult.REFUSED;
    }

    /** Reports a whole answer, or an argument, that HAPI's client cannot handle. */
    FhirFailure notReadable(Throwable failure, boolean isWrite) {
        String reason =
                NestedExceptionUtils.getMostSpecificCause(failure).getClass().getSimpleName();
        FhirFailure notReadable = new FhirFailure(CallResult.NOT_READABLE, isWrite, "a call", tenant, 0, reason);
        // frames hold no values
        notReadable.setStackTrace(failure.getStackTrace());
        return notReadable;
    }

    /** Reports a call that a route makes in a wrong way. */
    FhirFailure misused(String reason) {
        return new FhirFailure(CallResult.NOT_READABLE, false, "a call", tenant, 0, reason);
    }

    /** Reports a call that the client does not send. */
    FhirFailure refused(String reason) {
        return new FhirFailure(CallResult.REFUSED, false, "a call", tenant, 0, reason);
    }

    /** Returns type, id and version; nothing of a path that has another form. */
    private static String target(String path) {
        return RESOURCE.matcher(path).matches() || OTHER.matcher(path).matches() ? path : "";
    }

    /** Returns the path below the base, without a leading slash. */
    private String path(String uri) {
        int query = uri.indexOf('?');
        String path = query < 0 ? uri : uri.substring(0, query);
        return path.startsWith(base + "/") ? path.substring(base.length() + 1) : "";
    }
}
