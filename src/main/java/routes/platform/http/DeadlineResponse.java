package routes.platform.http;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.ServletResponseWrapper;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.time.Duration;
import org.apache.camel.Exchange;
import org.apache.coyote.CloseNowException;

/**
 * Ends a response that the client reads too slowly. Tomcat restarts its write timeout whenever the client reads a few
 * bytes, so a slow reader could hold a thread for hours.
 */
public final class DeadlineResponse extends HttpServletResponseWrapper {

    /**
     * Extends the deadline by a second for each such number of bytes, so that large responses work over slow
     * connections.
     */
    private static final int BYTES_PER_SECOND = 1 << 16;

    /** Is small, because Tomcat may wait for a few connection timeouts until the client has read a piece. */
    private static final int PIECE = 1 << 13;

    private final Duration allowance;
    private DeadlineStream out;

    /** @param allowance the time for a small response */
    DeadlineResponse(HttpServletResponse response, Duration allowance) {
        super(response);
        this.allowance = allowance;
    }

    /** Lets the answer of an exchange break off, so that it does not look complete: its source has failed. */
    public static void breakOff(Exchange exchange) {
        ServletResponse response = exchange.getMessage().getHeader("CamelHttpServletResponse", ServletResponse.class);
        while (response instanceof ServletResponseWrapper wrapper && !(response instanceof DeadlineResponse)) {
            response = wrapper.getResponse();
        }
        if (response instanceof DeadlineResponse answer && answer.out != null) {
            answer.out.cutOff = true;
        }
    }

    /** Covers all large responses: only small ones are written by {@code getWriter}. */
    @Override
    public ServletOutputStream getOutputStream() throws IOException {
        if (out == null) {
            out = new DeadlineStream(super.getOutputStream(), allowance);
        }
        return out;
    }

    /**
     * Reports a missed deadline that the writer has swallowed: the server would end the response as if it were
     * complete.
     *
     * @throws CloseNowException when the client read the response too slowly; makes Tomcat close the connection
     */
    void requireCompleted() throws CloseNowException {
        if (out != null && out.cutOff) {
            throw tooSlow();
        }
    }

    private static CloseNowException tooSlow() {
        return new CloseNowException("the caller reads the answer too slowly");
    }

    private static final class DeadlineStream extends ServletOutputStream {

        private final ServletOutputStream out;
        private final Duration allowance;
        private final long began = System.nanoTime();
        private long written;
        private boolean cutOff;

        DeadlineStream(ServletOutputStream out, Duration allowance) {
            this.out = out;
            this.allowance = allowance;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            for (int done = 0; done < length; done += PIECE) {
                check();
                int piece = Math.min(PIECE, length - done);
                out.write(bytes, offset + done, piece);
                written += piece;
            }
        }

        @Override
        public void write(int b) throws IOException {
            check();
            out.write(b);
        }

        private void check() throws IOException {
            Duration allowed = allowance.plusSeconds(written / BYTES_PER_SECOND);
            cutOff |= System.nanoTime() - began > allowed.toNanos();
            if (cutOff) {
                throw tooSlow();
            }
        }

        /** Keeps a response that was cut off from looking complete. */
        @Override
        public void flush() throws IOException {
            if (!cutOff) {
                out.flush();
            }
        }

        @Override
        public void close() throws IOException {
            if (!cutOff) {
                out.close();
            }
        }

        @Override
        public boolean isReady() {
            return out.isReady();
        }

        @Override
        public void setWriteListener(WriteListener listener) {
            out.setWriteListener(listener);
        }
    }
}
