package routes.platform.http;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.time.Duration;
import java.util.Arrays;
import org.apache.camel.Exchange;
import org.apache.camel.StreamCache;
import routes.platform.error.ProblemException;

/**
 * The unread body of a request, so that a stream of a gigabyte passes in constant memory. Camel's HTTP consumer takes
 * the body as a {@link BufferedReader} and copies it into memory, unless it is a {@link StreamCache}; so this is both.
 * To Camel it is empty: it cannot echo a body that no route reads.
 */
public final class RequestBody extends BufferedReader implements StreamCache {

    private static final int CHUNK = 1 << 14;

    private final InputStream bytes;

    RequestBody(InputStream bytes) {
        super(Reader.nullReader(), 1);
        this.bytes = bytes;
    }

    /** The body of the request that the exchange answers; empty when the request has none. */
    public static RequestBody of(Exchange exchange) {
        RequestBody body = exchange.getMessage().getBody(RequestBody.class);
        return body == null ? new RequestBody(InputStream.nullInputStream()) : body;
    }

    /** The bytes as they arrive. */
    public InputStream stream() {
        return bytes;
    }

    /**
     * Reads the whole body.
     *
     * @param limit bytes
     * @param timeout for the arrival of the whole body
     * @throws ProblemException 413 above the limit, 408 after the timeout, 400 when the body breaks off
     */
    byte[] read(int limit, Duration timeout) {
        return read(limit, timeout, Integer.MAX_VALUE, -1);
    }

    /**
     * Reads the whole body, and gives a large one more time. A body of the announced length takes its memory once.
     *
     * @param bytesPerSecond extends the timeout by a second for each such number of bytes
     * @param announced length in bytes, or -1
     * @throws ProblemException as above
     */
    public byte[] read(int limit, Duration timeout, int bytesPerSecond, long announced) {
        long started = System.nanoTime();
        byte[] body = new byte[(int) Math.min(announced > 0 ? announced : CHUNK, limit)];
        int size = 0;
        try {
            while (true) {
                if (size == body.length) {
                    int next = bytes.read();
                    if (next < 0) {
                        return body;
                    }
                    if (size == limit) {
                        throw new ProblemException(413, "the body is larger than " + limit + " bytes");
                    }
                    body = Arrays.copyOf(body, (int) Math.min(2L * size, limit));
                    body[size++] = (byte) next;
                }
                int n = bytes.read(body, size, Math.min(CHUNK, body.length - size));
                if (n < 0) {
                    return Arrays.copyOf(body, size);
                }
                size += n;
                if (System.nanoTime() - started
                        > timeout.plusSeconds(size / bytesPerSecond).toNanos()) {
                    throw new ProblemException(
                            408, "the body took longer than " + timeout.toSeconds() + " s to arrive");
                }
            }
        } catch (IOException e) {
            throw new ProblemException(400, "the body broke off");
        }
    }

    @Override
    public void reset() {
        // read once
    }

    @Override
    public void writeTo(OutputStream out) {
        // nothing
    }

    @Override
    public StreamCache copy(Exchange exchange) {
        return null;
    }

    @Override
    public boolean inMemory() {
        return false;
    }

    @Override
    public long length() {
        return 0;
    }

    @Override
    public long position() {
        return 0;
    }
}
