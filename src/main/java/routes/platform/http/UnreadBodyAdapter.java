package routes.platform.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.coyote.ActionCode;
import org.apache.coyote.Adapter;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.tomcat.util.net.ApplicationBufferHandler;
import org.apache.tomcat.util.net.SocketEvent;

/**
 * Handles the unread body of a request that is answered. Tomcat would read up to two megabytes of it, at the pace of
 * the client, so a few slow clients could block every thread. This drops a short body that has arrived and keeps the
 * connection; with any other body the connection closes.
 */
final class UnreadBodyAdapter implements Adapter {

    private static final int MAX_DROPPED = 1 << 16;

    private final Adapter tomcat;

    UnreadBodyAdapter(Adapter tomcat) {
        this.tomcat = tomcat;
    }

    @Override
    public void service(Request request, Response response) throws Exception {
        tomcat.service(request, response);
        closeIfUnread(request);
    }

    @Override
    public boolean asyncDispatch(Request request, Response response, SocketEvent status) throws Exception {
        boolean goesOn = tomcat.asyncDispatch(request, response, status);
        closeIfUnread(request);
        return goesOn;
    }

    private static void closeIfUnread(Request request) {
        if (!is(ActionCode.ASYNC_IS_ASYNC, request) && !drop(request)) {
            request.action(ActionCode.DISABLE_SWALLOW_INPUT, null);
        }
    }

    /** Adds {@code Connection: close} before the response begins, when the connection will close. */
    static void announce(Request request, Response response) {
        if (!drop(request)) {
            response.getMimeHeaders().setValue("Connection").setString("close");
        }
    }

    /** Drops a short body; false when it is long, or has not arrived. */
    private static boolean drop(Request request) {
        try {
            while (!is(ActionCode.REQUEST_BODY_FULLY_READ, request)) {
                request.action(ActionCode.AVAILABLE, true);
                // a chunked body would make the thread wait for the end of a chunk's head
                boolean arrived = request.getContentLengthLong() >= 0
                        && request.getContentLengthLong() <= MAX_DROPPED
                        && request.getAvailable() > 0;
                if (!arrived || request.doRead(new DroppedBytes()) <= 0) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean is(ActionCode question, Request request) {
        AtomicBoolean answer = new AtomicBoolean();
        request.action(question, answer);
        return answer.get();
    }

    @Override
    public boolean prepare(Request request, Response response) throws Exception {
        return tomcat.prepare(request, response);
    }

    @Override
    public void log(Request request, Response response, long time) {
        tomcat.log(request, response, time);
    }

    @Override
    public void checkRecycled(Request request, Response response) {
        tomcat.checkRecycled(request, response);
    }

    @Override
    public String getDomain() {
        return tomcat.getDomain();
    }

    private static final class DroppedBytes implements ApplicationBufferHandler {

        private ByteBuffer last;

        @Override
        public void setByteBuffer(ByteBuffer read) {
            last = read;
        }

        /** Tomcat changes its limit when the next request begins in it. */
        @Override
        public ByteBuffer getByteBuffer() {
            return last;
        }

        @Override
        public void expand(int size) {
            // nothing is kept
        }
    }
}
