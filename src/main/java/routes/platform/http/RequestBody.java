package routes.platform.http;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.time.Duration;
import org.apache.camel.Exchange;
import org.apache.camel.StreamCache;
import routes.platform.error.ProblemException;

/**
 * The body of a request, unread. Camel's HTTP consumer reads every body whole into memory before a route sees it, unless the body is
 * a {@link StreamCache} already; and it takes the body as a {@link BufferedReader}. So this claims to be both, and a stream of a
 * gigabyte passes in constant memory, byte for byte. To Camel it is empty, so that a body which no route took is not sent back.
 */
public final class RequestBody extends BufferedReader implements StreamCache {

    private final InputStream bytes;

    RequestBody(InputStream bytes) {
        super(Reader.nullReader(), 1);
        this.bytes = bytes;
    }

    /** The body of the request that the exchange answers; one without bytes when the request has none. */
    public static RequestBody of(Exchange exchange) {
        RequestBody body = exchange.getMessage().getBody(RequestBody.class);
        return body == null ? new RequestBody(InputStream.nullInputStream()) : body;
    }

    /** The bytes as they arrive. */
    public InputStream stream() {
        return bytes;
    }

    /**
     * The whole body.
     *
     * @param limit bytes
     * @param patience how long it may take to arrive
     * @throws ProblemException 413 when it is larger than the limit, 408 when it takes too long, 400 when it breaks off
     */
    byte[] read(int limit, Duration patience) {
        long started = System.nanoTime();
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] chunk = new byte[1 << 14];
        try {
            for (int n; (n = bytes.read(chunk)) != -1; ) {
                body.write(chunk, 0, n);
                if (body.size() > limit) {
                    throw new ProblemException(413, "the body is larger than " + limit + " bytes");
                }
                if (System.nanoTime() - started > patience.toNanos()) {
                    throw new ProblemException(
                            408, "the body took longer than " + patience.toSeconds() + " s to arrive");
                }
            }
        } catch (IOException e) {
            throw new ProblemException(400, "the body broke off");
        }
        return body.toByteArray();
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
