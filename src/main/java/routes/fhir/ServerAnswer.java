package routes.fhir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.http.Header;
import org.apache.http.HttpEntity;
import org.apache.http.client.methods.CloseableHttpResponse;

/** The answer of a FHIR server while it arrives. Its stream ends with an error when the server is too slow. */
final class ServerAnswer extends InputStream {

    /** A slow network delivers more than this: each such number of bytes extends the time limit by a second. */
    private static final int BYTES_PER_SECOND = 1 << 16;

    private static final int PIECE = 1 << 14;

    /** In lower case, the headers that the facade needs or passes on. */
    private static final Set<String> HEADERS = Set.of(
            "content-type",
            "content-disposition",
            "content-location",
            "etag",
            "last-modified",
            "location",
            "preference-applied",
            "retry-after",
            "x-request-id");

    private final CloseableHttpResponse response;
    private final Map<String, String> headers;
    private final InputStream body;
    private final Duration limit;
    private final long began = System.nanoTime();
    private long bytes;

    ServerAnswer(CloseableHttpResponse response, Duration limit) throws IOException {
        this.response = response;
        this.headers = headers(response);
        this.limit = limit;
        HttpEntity entity = response.getEntity();
        InputStream content = entity == null ? null : entity.getContent();
        this.body = content == null ? InputStream.nullInputStream() : content;
    }

    /**
     * The longest time from the request to the last byte of an answer of that length.
     *
     * @param limit for the wait for an answer; each wait for its next bytes may last as long, and also the last one
     */
    static Duration longest(Duration limit, long bytes) {
        return limit.multipliedBy(3).plusSeconds(bytes / BYTES_PER_SECOND);
    }

    int status() {
        return response.getStatusLine().getStatusCode();
    }

    /** The headers that the facade needs or passes on, by their names in lower case. */
    Map<String, String> headers() {
        return headers;
    }

    private static Map<String, String> headers(CloseableHttpResponse response) {
        Map<String, String> headers = new TreeMap<>();
        for (Header header : response.getAllHeaders()) {
            String name = header.getName().toLowerCase(Locale.ROOT);
            if (HEADERS.contains(name)) {
                headers.putIfAbsent(name, header.getValue());
            }
        }
        return headers;
    }

    /** Whether the body is compressed, although the facade accepts no such answer. */
    boolean isEncoded() {
        Header encoding = response.getFirstHeader("Content-Encoding");
        return encoding != null && !encoding.getValue().equalsIgnoreCase("identity");
    }

    /** Reads up to a number of bytes; fewer only at the end of the answer. */
    byte[] readUpTo(int most) throws IOException {
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        byte[] piece = new byte[PIECE];
        for (int n; read.size() < most && (n = read(piece, 0, Math.min(PIECE, most - read.size()))) >= 0; ) {
            read.write(piece, 0, n);
        }
        return read.toByteArray();
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        if (System.nanoTime() - began
                > limit.plusSeconds(bytes / BYTES_PER_SECOND).toNanos()) {
            throw new SocketTimeoutException("the FHIR server sends its answer too slowly");
        }
        int n = body.read(target, offset, length);
        bytes += Math.max(n, 0);
        return n;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /** Gives the connection back when the answer is read to its end, and else closes it. */
    @Override
    public void close() throws IOException {
        response.close();
    }
}
