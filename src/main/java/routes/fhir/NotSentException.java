package routes.fhir;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLHandshakeException;
import org.apache.http.conn.ConnectTimeoutException;
import routes.platform.error.ProblemException;

/** Reports that the server has not received the request: a write certainly had no effect. */
final class NotSentException extends ProblemException {

    NotSentException() {
        super(503, "the FHIR server is not available, try again");
    }

    /** Whether a call failed before it had a connection to the server. */
    static boolean isBeforeSending(IOException failure) {
        return failure instanceof ConnectException
                || failure instanceof ConnectTimeoutException
                || failure instanceof UnknownHostException
                || failure instanceof NoRouteToHostException
                || failure instanceof SSLHandshakeException;
    }
}
