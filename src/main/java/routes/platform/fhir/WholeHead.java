package routes.platform.fhir;

import java.io.IOException;
import org.apache.http.NoHttpResponseException;
import org.apache.http.io.HttpTransportMetrics;
import org.apache.http.io.SessionInputBuffer;
import org.apache.http.util.CharArrayBuffer;

/** Reads the head of an answer. HttpClient takes a head that broke off for a whole one, and the answer for empty. */
final class WholeHead implements SessionInputBuffer {

    private final SessionInputBuffer buffer;

    WholeHead(SessionInputBuffer buffer) {
        this.buffer = buffer;
    }

    /** @throws NoHttpResponseException when the connection has ended */
    @Override
    public int readLine(CharArrayBuffer line) throws IOException {
        int length = buffer.readLine(line);
        if (length < 0) {
            throw new NoHttpResponseException("the connection ended within the head of an answer");
        }
        return length;
    }

    @Override
    public String readLine() throws IOException {
        return buffer.readLine();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        return buffer.read(bytes, offset, length);
    }

    @Override
    public int read(byte[] bytes) throws IOException {
        return buffer.read(bytes);
    }

    @Override
    public int read() throws IOException {
        return buffer.read();
    }

    @Override
    @Deprecated
    public boolean isDataAvailable(int timeout) throws IOException {
        return buffer.isDataAvailable(timeout);
    }

    @Override
    public HttpTransportMetrics getMetrics() {
        return buffer.getMetrics();
    }
}
