package routes.platform.http;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.camel.Exchange;
import org.apache.camel.StreamCache;
import routes.platform.error.ProblemException;

/**
 * The body of a request, unread. Camel's HTTP consumer reads every body whole into memory before a route sees it, unless the body is
 * a {@link StreamCache} already; and it takes the body as a {@link BufferedReader}. So this claims to be both, and a stream of a
 * gigabyte passes in constant memory, byte for byte.
 */
public final class RequestBody extends BufferedReader implements StreamCache {

    private final InputStream bytes;

    RequestBody(InputStream bytes) {
        super(new InputStreamReader(bytes, StandardCharsets.UTF_8), 1);
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
     * @throws ProblemException 413 when it is larger than the limit, 400 when it breaks off
     */
    byte[] read(int limit) {
        byte[] body;
        try {
            body = bytes.readNBytes(limit + 1);
        } catch (IOException e) {
            throw new ProblemException(400, "the body broke off");
        }
        if (body.length > limit) {
            throw new ProblemException(413, "the body is larger than " + limit + " bytes");
        }
        return body;
    }

    @Override
    public void reset() {
        // read once
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        bytes.transferTo(out);
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
