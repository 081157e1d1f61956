package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;

/** Sends HTTP byte for byte, as no HTTP client would. */
public final class RawHttp {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private RawHttp() {}

    /** @param head the status line and the headers */
    public record Answer(int status, String head, String body) {

        public static Answer of(byte[] bytes) {
            // one character for each byte
            String text = new String(bytes, StandardCharsets.ISO_8859_1);
            int end = text.indexOf("\r\n\r\n");
            assertThat(end).as("an HTTP response: " + text).isPositive();
            String head = new String(bytes, 0, end, StandardCharsets.UTF_8);
            byte[] body = Arrays.copyOfRange(bytes, end + 4, bytes.length);
            if (head.contains("Transfer-Encoding: chunked")) {
                body = unchunked(body);
            }
            return new Answer(Integer.parseInt(text.substring(9, 12)), head, new String(body, StandardCharsets.UTF_8));
        }

        private static byte[] unchunked(byte[] bytes) {
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            for (int at = 0; at < bytes.length; ) {
                int line = at;
                while (bytes[line] != '\r') {
                    line++;
                }
                int size = Integer.parseInt(new String(bytes, at, line - at, StandardCharsets.US_ASCII), 16);
                if (size == 0) {
                    break;
                }
                body.write(bytes, line + 2, size);
                at = line + 2 + size + 2;
            }
            return body.toByteArray();
        }
    }

    /** Sends the bytes and leaves the connection open. */
    public static Socket open(int port, byte[] request) throws IOException {
        Socket socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout((int) PATIENCE.toMillis());
        socket.getOutputStream().write(request);
        return socket;
    }

    /** Sends a request with {@code Connection: close} and reads until the server closes. */
    public static Answer send(int port, byte[] request) throws IOException {
        try (Socket socket = open(port, request)) {
            return Answer.of(socket.getInputStream().readAllBytes());
        }
    }

    /**
     * Builds a request.
     *
     * @param line without the version
     * @param headers each with its line end
     */
    public static byte[] request(String line, String headers, byte[] body) {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes((line + " HTTP/1.1\r\n" + headers + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        request.writeBytes(body);
        return request.toByteArray();
    }
}
