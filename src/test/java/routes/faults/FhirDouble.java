package routes.faults;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import routes.platform.fhir.RawServer;

/**
 * Takes the place of a FHIR server on loopback. A test says for each resource what it answers, byte for byte; it finds
 * nothing else. Each connection has one request.
 */
final class FhirDouble implements AutoCloseable {

    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)");
    private static final Pattern ID = Pattern.compile("^\\S+ /fhir/[A-Za-z]+/([A-Za-z0-9.-]+)");

    /** More than the connections that a test opens at a time. */
    private static final int BACKLOG = 500;

    private final ServerSocket server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile Answer otherwise = (call, out) ->
            write(out, ok("""
            {"resourceType": "Bundle", "type": "searchset", "total": 0}"""));

    FhirDouble() throws IOException {
        start(this::accept);
    }

    /** Answers one request. The connection ends with it. */
    interface Answer {
        void write(Call call, OutputStream out) throws IOException, InterruptedException;
    }

    /**
     * A request.
     *
     * @param head its first line and its headers
     */
    record Call(String head, InputStream in) {

        String body() throws IOException {
            Matcher length = LENGTH.matcher(head);
            return length.find()
                    ? new String(in.readNBytes(Integer.parseInt(length.group(1))), StandardCharsets.UTF_8)
                    : "";
        }
    }

    /** Builds an answer of FHIR. */
    static String ok(String json) {
        return answer("200 OK", json);
    }

    /** @param status such as {@code 404 Not Found} */
    static String answer(String status, String json) {
        return "HTTP/1.1 %s\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                .formatted(status, json.getBytes(StandardCharsets.UTF_8).length, json);
    }

    static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    String url() {
        return "http://127.0.0.1:" + server.getLocalPort() + "/fhir";
    }

    /** Says what the server answers to all requests for the resources with this id. */
    void answer(String id, Answer answer) {
        answers.put(id, answer);
    }

    /** Says what it answers to all other requests. */
    void answerOthers(Answer answer) {
        otherwise = answer;
    }

    private void accept() {
        try {
            while (!server.isClosed()) {
                Socket socket = server.accept();
                sockets.add(socket);
                start(() -> serve(socket));
            }
        } catch (IOException e) {
            if (!server.isClosed()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            Call call = new Call(RawServer.head(in), in);
            Matcher id = ID.matcher(call.head());
            Answer answer = id.find() ? answers.getOrDefault(id.group(1), otherwise) : otherwise;
            answer.write(call, socket.getOutputStream());
        } catch (IOException | InterruptedException e) {
            // the client or the test has ended the connection
        } finally {
            sockets.remove(socket);
        }
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "fhir-double");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
