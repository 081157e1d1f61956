package routes.platform.fhir;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLHandshakeException;
import org.apache.http.conn.ConnectTimeoutException;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.springframework.core.NestedExceptionUtils;
import routes.platform.fhir.FhirFailure.Effect;
import routes.platform.fhir.FhirFailure.Kind;

/**
 * Reads what a failed call of a tenant's server means.
 *
 * @param base the base of the server's resources, without a slash at its end
 */
record FailureReader(String tenant, String base) {

    private static final Pattern RESOURCE =
            Pattern.compile("([A-Z][A-Za-z]{1,63})(/[A-Za-z0-9.-]{1,64})?(/_history(/[A-Za-z0-9.-]{1,64})?)?");

    /** Such as {@code metadata}, {@code _history} or {@code Patient/_search}. */
    private static final Pattern OTHER = Pattern.compile("([A-Z][A-Za-z]{1,63}/)?[$_a-z][a-z-]{0,63}");

    private static final Set<String> READS = Set.of("GET", "HEAD", "OPTIONS");
    private static final Set<Integer> GONE = Set.of(404, 410);
    private static final Set<Integer> CONFLICT = Set.of(409, 412);

    /** Statuses below 500 of a server that may accept the same request later; 401 and 403 need an operator. */
    private static final Set<Integer> LATER = Set.of(401, 403, 408, 425, 429);

    /** Statuses of a server that has not begun. */
    private static final Set<Integer> NOT_DONE = Set.of(401, 403, 429);

    private static final int CLIENT_ERROR = 400;
    private static final int SERVER_ERROR = 500;
    private static final int NOT_IMPLEMENTED = 501;

    FhirFailure failure(FailedCall call) {
        Kind kind = call.broken == null ? kind(call) : kind(call.broken);
        String reason = call.broken == null
                ? String.valueOf(call.status)
                : call.broken.getClass().getSimpleName();
        String name = (call.method + " " + target(call.uri.toString())).trim();
        return new FhirFailure(kind, name, tenant, call.status, reason, effect(call, kind));
    }

    /** Reports a whole answer, or an argument, that HAPI's client cannot handle. */
    FhirFailure unknown(Throwable failure, Effect effect) {
        String reason =
                NestedExceptionUtils.getMostSpecificCause(failure).getClass().getSimpleName();
        FhirFailure unknown = new FhirFailure(Kind.UNKNOWN, "a call", tenant, 0, reason, effect);
        // frames hold no values
        unknown.setStackTrace(failure.getStackTrace());
        return unknown;
    }

    /** Reports a call that a route makes in a wrong way. */
    FhirFailure misused(String reason) {
        return new FhirFailure(Kind.UNKNOWN, "a call", tenant, 0, reason, Effect.NONE);
    }

    /** Reports a call that the client does not send. */
    FhirFailure refused(String reason) {
        return new FhirFailure(Kind.REFUSED, "a call", tenant, 0, reason, Effect.NONE);
    }

    private static Effect effect(FailedCall call, Kind kind) {
        if (isUnreachable(call.broken)) {
            return Effect.UNREACHABLE;
        }
        boolean isRead = READS.contains(call.method) || call.uri.getRawPath().endsWith("/_search");
        boolean isRefused = kind == Kind.REFUSED || kind == Kind.GONE || kind == Kind.CONFLICT;
        boolean isNotSent = call.broken instanceof ConnectionPoolTimeoutException;
        return isRead || isRefused || isNotSent || NOT_DONE.contains(call.status) ? Effect.NONE : Effect.UNKNOWN;
    }

    private Kind kind(FailedCall call) {
        int status = call.status;
        if (GONE.contains(status)) {
            if (!call.isFhir) {
                return Kind.DOWN;
            }
            Matcher resource = RESOURCE.matcher(path(call.uri.toString()));
            return resource.matches() && resource.group(2) != null ? Kind.GONE : Kind.REFUSED;
        }
        if (CONFLICT.contains(status)) {
            return Kind.CONFLICT;
        }
        boolean isRefused = status >= CLIENT_ERROR && status < SERVER_ERROR || status == NOT_IMPLEMENTED;
        return isRefused && !LATER.contains(status) ? Kind.REFUSED : Kind.DOWN;
    }

    private static Kind kind(IOException broken) {
        return broken instanceof AnswerTooLargeException ? Kind.UNKNOWN : Kind.DOWN;
    }

    private static boolean isUnreachable(IOException broken) {
        return broken instanceof ConnectException
                || broken instanceof ConnectTimeoutException && !(broken instanceof ConnectionPoolTimeoutException)
                || broken instanceof UnknownHostException
                || broken instanceof NoRouteToHostException
                || broken instanceof SSLHandshakeException;
    }

    /** Returns type, id and version; nothing of a URL that has another form. */
    private String target(String uri) {
        String path = path(uri);
        return RESOURCE.matcher(path).matches() || OTHER.matcher(path).matches() ? path : "";
    }

    /** Returns the path below the base, without a leading slash. */
    private String path(String uri) {
        int query = uri.indexOf('?');
        String path = query < 0 ? uri : uri.substring(0, query);
        return path.startsWith(base + "/") ? path.substring(base.length() + 1) : "";
    }
}
