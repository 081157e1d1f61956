package routes.platform.http;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.time.Duration;
import org.apache.coyote.CloseNowException;

/**
 * An answer that has to be taken in time. For Tomcat a caller who takes a few bytes now and then is not slow, and keeps its thread for as long as
 * the answer is large.
 */
final class TimedAnswer extends HttpServletResponseWrapper {

    /** For as many bytes more there is a second more: a caller with a slow line may take a large answer. */
    private static final int BYTES_PER_SECOND = 1 << 16;

    /** Tomcat waits for a few times the connection timeout, at the most, until so many are taken. */
    private static final int PIECE = 1 << 13;

    private final Duration patience;
    private Timed out;

    /** @param patience how long an answer may take that is not large */
    TimedAnswer(HttpServletResponse response, Duration patience) {
        super(response);
        this.patience = patience;
    }

    /** What is written by characters is small. */
    @Override
    public ServletOutputStream getOutputStream() throws IOException {
        if (out == null) {
            out = new Timed(super.getOutputStream(), patience);
        }
        return out;
    }

    /**
     * For when its writer has kept the failure to itself: the server would end the answer as if it were whole.
     *
     * @throws CloseNowException when it was taken too slowly
     */
    void requireWhole() throws CloseNowException {
        if (out != null && out.brokenOff) {
            throw tooSlow();
        }
    }

    /** Has Tomcat close the connection. */
    private static CloseNowException tooSlow() {
        return new CloseNowException("the caller takes the answer too slowly");
    }

    private static final class Timed extends ServletOutputStream {

        private final ServletOutputStream out;
        private final Duration patience;
        private final long began = System.nanoTime();
        private long written;
        private boolean brokenOff;

        Timed(ServletOutputStream out, Duration patience) {
            this.out = out;
            this.patience = patience;
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
            Duration allowed = patience.plusSeconds(written / BYTES_PER_SECOND);
            brokenOff |= System.nanoTime() - began > allowed.toNanos();
            if (brokenOff) {
                throw tooSlow();
            }
        }

        /** An answer that is broken off must not look as if it ended. */
        @Override
        public void flush() throws IOException {
            if (!brokenOff) {
                out.flush();
            }
        }

        @Override
        public void close() throws IOException {
            if (!brokenOff) {
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
