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
 * What becomes of the body of a request that was answered without reading it, whatever the answer. Tomcat would read it to its end, up to
 * two megabytes, as slowly as it comes: a stranger could keep every thread waiting. A short one that is there is read, and the connection
 * goes on; with any other it ends.
 */
final class UnreadBodies implements Adapter {

    private static final int SHORT = 1 << 16;

    private final Adapter tomcat;

    UnreadBodies(Adapter tomcat) {
        this.tomcat = tomcat;
    }

    @Override
    public void service(Request request, Response response) throws Exception {
        tomcat.service(request, response);
        leave(request);
    }

    @Override
    public boolean asyncDispatch(Request request, Response response, SocketEvent status) throws Exception {
        boolean goesOn = tomcat.asyncDispatch(request, response, status);
        leave(request);
        return goesOn;
    }

    private static void leave(Request request) {
        if (!is(ActionCode.ASYNC_IS_ASYNC, request) && !isRead(request)) {
            request.action(ActionCode.DISABLE_SWALLOW_INPUT, null);
        }
    }

    /** Before the answer begins: says that the connection ends, when it will. Nobody reads on who has begun to answer. */
    static void announce(Request request, Response response) {
        if (!isRead(request)) {
            response.getMimeHeaders().setValue("Connection").setString("close");
        }
    }

    private static boolean isRead(Request request) {
        try {
            while (!is(ActionCode.REQUEST_BODY_FULLY_READ, request)) {
                request.action(ActionCode.AVAILABLE, true);
                // the chunked coding would have a thread wait for the end of a chunk's head
                boolean there = request.getContentLengthLong() >= 0
                        && request.getContentLengthLong() <= SHORT
                        && request.getAvailable() > 0;
                if (!there || request.doRead(new Dropped()) <= 0) {
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

    private static final class Dropped implements ApplicationBufferHandler {

        private ByteBuffer last;

        @Override
        public void setByteBuffer(ByteBuffer read) {
            last = read;
        }

        /** Its limit is changed when the next request has begun in it. */
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
