package routes.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
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

    private final RawServer server = new RawServer();
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private volatile Answer otherwise = (call, out) ->
            write(out, ok("""
            {"resourceType": "Bundle", "type": "searchset", "total": 0}"""));

    FhirDouble() throws IOException {
        server.answerByHead(this::serve);
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
        return server.url("/fhir").toString();
    }

    /** Says what the server answers to all requests for the resources with this id. */
    void answer(String id, Answer answer) {
        answers.put(id, answer);
    }

    /** Says what it answers to all other requests. */
    void answerOthers(Answer answer) {
        otherwise = answer;
    }

    private void serve(String head, InputStream in, OutputStream out) throws IOException, InterruptedException {
        Matcher id = ID.matcher(head);
        Answer answer = id.find() ? answers.getOrDefault(id.group(1), otherwise) : otherwise;
        answer.write(new Call(head, in), out);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
