package routes.platform.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.coyote.Adapter;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.net.AbstractEndpoint.Handler.SocketState;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.SecureNioChannel;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Handles a connection as Tomcat does, with two changes against slow clients. The whole head of a request has to arrive
 * within the connection timeout; for Tomcat that is the longest pause. Before it closes a connection, it reads on for a
 * moment, so that a client that is still sending can read the response. The poller does that, without a waiting thread.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9112#section-9.6">RFC 9112, section 9.6</a>
 */
final class LingeringHttpProcessor extends Http11Processor {

    private static final int LINGER_MILLIS = 1000;
    private static final int LINGER_BYTES = 1 << 20;
    private static final int BYTES_AT_ONCE = 1 << 16;

    private final LingeringHttpProtocol protocol;

    /** The connection that lingers; Tomcat reuses a processor for others later. */
    private SocketWrapperBase<?> lingering;

    private long endsAt;
    private int dropped;

    LingeringHttpProcessor(LingeringHttpProtocol protocol, Adapter adapter) {
        super(protocol, new UnreadBodyAdapter(adapter));
        this.protocol = protocol;
    }

    /** Also lingers after an asynchronous response, which another thread has given. */
    @Override
    public SocketState process(SocketWrapperBase<?> socket, SocketEvent event) throws IOException {
        if (socket == lingering) {
            return event == SocketEvent.OPEN_READ ? linger(socket) : SocketState.CLOSED;
        }
        boolean answers = event == SocketEvent.OPEN_READ || isAsync();
        SocketState state = super.process(socket, event);
        if (answers && state == SocketState.CLOSED && getErrorState().isIoAllowed() && !protocol.isPaused()) {
            lingering = socket;
            endsAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LINGER_MILLIS);
            dropped = 0;
            socket.setReadTimeout(LINGER_MILLIS);
            return halfClose(socket) ? linger(socket) : SocketState.CLOSED;
        }
        return state;
    }

    @Override
    public SocketState service(SocketWrapperBase<?> socket) throws IOException {
        SocketState state = super.service(socket);
        return state == SocketState.LONG && !isAsync() && isHeadLate() ? SocketState.CLOSED : state;
    }

    private boolean isHeadLate() {
        int timeout = protocol.getConnectionTimeout();
        long began = request.getStartTimeNanos();
        return timeout > 0 && began != -1 && System.nanoTime() - began > TimeUnit.MILLISECONDS.toNanos(timeout);
    }

    /** Shuts the output down. With TLS, only closing the connection does that. */
    private static boolean halfClose(SocketWrapperBase<?> socket) {
        try {
            if (socket.getSocket() instanceof NioChannel channel && !(channel instanceof SecureNioChannel)) {
                channel.getIOChannel().shutdownOutput();
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private SocketState linger(SocketWrapperBase<?> socket) {
        ByteBuffer chunk = ByteBuffer.allocate(1 << 13);
        try {
            for (int n, now = 0; now < BYTES_AT_ONCE && (n = socket.read(false, chunk.clear())) != 0; now += n) {
                if (n < 0) {
                    return SocketState.CLOSED;
                }
                dropped += n;
            }
        } catch (IOException e) {
            return SocketState.CLOSED;
        }
        return dropped < LINGER_BYTES && System.nanoTime() < endsAt ? SocketState.LONG : SocketState.CLOSED;
    }
}
