package routes.platform.http;

import jakarta.servlet.ServletException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.apache.coyote.ActionCode;
import org.apache.tomcat.util.net.ApplicationBufferHandler;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.stereotype.Component;

/**
 * What becomes of the body of a request that was refused without reading it. Tomcat would read it to its end, up to two megabytes, as slowly as
 * it comes: a stranger without a token could keep every thread waiting. A short one is read, so that its sender finds the answer before the
 * connection ends; of any other, and of more than a few at a time, nothing is.
 */
@Component
class RefusedBodies implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        factory.addEngineValves(new Valve());
    }

    private static final class Valve extends ValveBase {

        private static final int SHORT = 1 << 16;
        private static final Duration PATIENCE = Duration.ofSeconds(1);
        private static final int AT_A_TIME = 4;

        private final Semaphore permits = new Semaphore(AT_A_TIME);

        Valve() {
            super(true);
        }

        @Override
        public void invoke(Request request, Response response) throws IOException, ServletException {
            getNext().invoke(request, response);
            if (response.getStatus() >= 400 && !request.isFinished()) {
                response.finishResponse();
                if (!isRead(request)) {
                    request.getCoyoteRequest().action(ActionCode.DISABLE_SWALLOW_INPUT, null);
                }
            }
        }

        private boolean isRead(Request request) {
            if (request.getContentLengthLong() > SHORT || !permits.tryAcquire()) {
                return false;
            }
            try {
                Dropped dropped = new Dropped();
                long end = System.nanoTime() + PATIENCE.toNanos();
                // past the servlet's stream, which has been closed
                int bytes = 0;
                for (int n; (n = request.getCoyoteRequest().doRead(dropped)) >= 0; bytes += n) {
                    if (bytes > SHORT || System.nanoTime() > end) {
                        return false;
                    }
                }
                return true;
            } catch (IOException e) {
                return false;
            } finally {
                permits.release();
            }
        }
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
