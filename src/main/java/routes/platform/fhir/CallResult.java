package routes.platform.fhir;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Set;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.http.conn.ConnectTimeoutException;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import routes.platform.fhir.FhirFailure.Kind;

/** Tells how a call of a FHIR server ended, and what follows from that. Facade, client and health share this table. */
public enum CallResult {
    OK(null, Write.DONE, Server.ANSWERS),
    /** The server, or a proxy in front of it, refuses this request for good: 4xx and 501, apart from those below. */
    REFUSED(Kind.REFUSED, Write.NOT_DONE, Server.ANSWERS),
    /** The server does not have this resource, or no longer: 404, 410. */
    GONE(Kind.GONE, Write.NOT_DONE, Server.ANSWERS),
    /** The resource is in another state than the request expects: 409, 412. */
    CONFLICT(Kind.CONFLICT, Write.NOT_DONE, Server.ANSWERS),
    /** The server does not begin, and may do so when it has another configuration or less to do: 403, 429. */
    NOT_BEGUN(Kind.DOWN, Write.NOT_DONE, Server.ANSWERS),
    /** The server does not know us: 401. */
    CREDENTIALS_REFUSED(Kind.DOWN, Write.NOT_DONE, Server.DOWN),
    /** The server reports that it has failed: 408, 425, 5xx. It may serve other requests. */
    FAILED(Kind.DOWN, Write.UNKNOWN, Server.UNKNOWN),
    /** A proxy reports that there is no server behind it: 502, 503. */
    NO_SERVER(Kind.DOWN, Write.UNKNOWN, Server.DOWN),
    /** The answer is not FHIR, such as the page of a proxy or a redirection. */
    NOT_FHIR(Kind.DOWN, Write.UNKNOWN, Server.UNKNOWN),
    /** There is no connection, so the server has not received the request. */
    UNREACHABLE(Kind.DOWN, Write.NOT_DONE, Server.DOWN),
    /** All connections to the server are in use, so it has not received the request. */
    NO_FREE_CONNECTION(Kind.DOWN, Write.NOT_DONE, Server.UNKNOWN),
    /** There is no answer within the time limit: the server or only this request may be slow. */
    SLOW(Kind.DOWN, Write.UNKNOWN, Server.UNKNOWN),
    /** The connection ended before the whole answer arrived. */
    BROKEN_OFF(Kind.DOWN, Write.UNKNOWN, Server.UNKNOWN),
    /** The client cannot handle the answer or the call: too large, not FHIR R4, a bug. */
    NOT_READABLE(Kind.UNKNOWN, Write.UNKNOWN, Server.UNKNOWN);

    private static final Set<Integer> NOT_FOUND = Set.of(404, 410);
    private static final Set<Integer> OTHER_STATE = Set.of(409, 412);
    private static final Set<Integer> LATER = Set.of(403, 429);
    private static final Set<Integer> NOT_IN_TIME = Set.of(408, 425);
    private static final Set<Integer> OF_A_PROXY = Set.of(502, 503);

    private static final int SUCCESS = 200;
    private static final int REDIRECTION = 300;
    private static final int NOT_MODIFIED = 304;
    private static final int CLIENT_ERROR = 400;
    private static final int UNAUTHORIZED = 401;
    private static final int SERVER_ERROR = 500;
    private static final int NOT_IMPLEMENTED = 501;

    private final Kind kind;
    private final Write write;
    private final Server server;

    private enum Write {
        DONE,
        NOT_DONE,
        UNKNOWN
    }

    private enum Server {
        ANSWERS,
        DOWN,
        UNKNOWN
    }

    CallResult(Kind kind, Write write, Server server) {
        this.kind = kind;
        this.write = write;
        this.server = server;
    }

    /** @param isFhir whether the answer has the type of FHIR, and not that of a proxy's page */
    public static CallResult ofAnswer(int status, boolean isFhir) {
        if (status < CLIENT_ERROR) {
            boolean isSuccess = status >= SUCCESS && status < REDIRECTION || status == NOT_MODIFIED;
            return isSuccess && isFhir ? OK : NOT_FHIR;
        }
        if (status == UNAUTHORIZED) {
            return CREDENTIALS_REFUSED;
        }
        if (NOT_FOUND.contains(status)) {
            return isFhir ? GONE : NOT_FHIR;
        }
        if (OTHER_STATE.contains(status)) {
            return CONFLICT;
        }
        if (LATER.contains(status)) {
            return NOT_BEGUN;
        }
        if (status >= SERVER_ERROR && status != NOT_IMPLEMENTED) {
            return isFhir ? FAILED : ofForeignError(status);
        }
        return NOT_IN_TIME.contains(status) ? FAILED : REFUSED;
    }

    private static CallResult ofForeignError(int status) {
        return OF_A_PROXY.contains(status) ? NO_SERVER : NOT_FHIR;
    }

    /** @param failure that ended the call before its answer was whole */
    public static CallResult ofFailure(IOException failure) {
        if (failure instanceof ConnectionPoolTimeoutException) {
            return NO_FREE_CONNECTION;
        }
        if (isBeforeSending(failure)) {
            return UNREACHABLE;
        }
        if (failure instanceof AnswerTooLargeException) {
            return NOT_READABLE;
        }
        return failure instanceof SocketTimeoutException ? SLOW : BROKEN_OFF;
    }

    private static boolean isBeforeSending(IOException failure) {
        return failure instanceof ConnectException
                || failure instanceof ConnectTimeoutException
                || failure instanceof UnknownHostException
                || failure instanceof NoRouteToHostException
                || failure instanceof SSLHandshakeException
                || failure instanceof SSLPeerUnverifiedException;
    }

    /** Null for {@link #OK}. */
    Kind kind() {
        return kind;
    }

    /** Whether the server may have made a change that no answer shows. */
    public boolean mayHaveChanged() {
        return write == Write.UNKNOWN;
    }

    /** Whether the server serves requests, even if not this one. */
    boolean showsThatServerAnswers() {
        return server == Server.ANSWERS;
    }

    /** Whether the server serves no request at all. */
    boolean showsThatServerIsDown() {
        return server == Server.DOWN;
    }
}
