package routes.platform.event;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/**
 * Fails when the sender stays below a minimum rate, so that a trickling stream does not keep its thread. A fast stream
 * may be of any length.
 *
 * @see <a href="https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html">mod_reqtimeout, which has the same rate</a>
 */
final class MinimumRateInputStream extends FilterInputStream {

    private static final int BYTES_PER_SECOND = 500;

    private final Duration interval;

    /** Counts the time in reads only: while the broker is slow, the sender cannot send. */
    private long waited;

    private long bytes;

    MinimumRateInputStream(InputStream in, Duration interval) {
        super(in);
        this.interval = interval;
    }

    static final class TooSlowException extends IOException {

        private TooSlowException(String message) {
            super(message);
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /** @throws TooSlowException when the interval brought less than the minimum */
    @Override
    public int read(byte[] target, int offset, int count) throws IOException {
        long began = System.nanoTime();
        int n = super.read(target, offset, count);
        if (n > 0) {
            bytes += n;
            waited += System.nanoTime() - began;
            if (waited > interval.toNanos()) {
                long least = BYTES_PER_SECOND * interval.toSeconds();
                if (bytes < least) {
                    throw new TooSlowException(
                            "brought less than %d bytes in %d s".formatted(least, interval.toSeconds()));
                }
                waited = 0;
                bytes = 0;
            }
        }
        return n;
    }
}
