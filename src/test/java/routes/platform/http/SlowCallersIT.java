package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.test.context.TestPropertySource;
import routes.RawHttp;
import routes.RawHttp.Answer;
import routes.RuntimeIT;

/** Limits how long slow senders and slow readers hold a connection and a thread. */
@TestPropertySource(
        properties = {
            "event-broker.http.body-timeout=2s",
            "event-broker.http.max-waiting=4",
            "event-broker.http.max-publishing=4",
            "event-broker.http.client-rate=20",
            "server.tomcat.connection-timeout=3s",
            "server.tomcat.threads.max=10"
        })
class SlowCallersIT extends RuntimeIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String EVENTS = "/api/topics/" + CREATED + "/events";
    private static final String HOST = "Host: localhost\r\n";
    private static final String LENGTH = "Content-Length: 1000000\r\n";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
    private static final String JSON = "Content-Type: application/json\r\n";
    private static final Duration TRICKLE = Duration.ofMillis(200);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** A large file that needs no token. */
    private static final String FILE = "/webjars/swagger-ui/swagger-ui-bundle.js";

    private final String id = "slow-" + UUID.randomUUID();

    /** Keeps the network buffers small, so that they cannot hold an unread response. */
    @TestConfiguration
    static class SmallBuffers implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

        @Override
        public void customize(TomcatServletWebServerFactory factory) {
            factory.addConnectorCustomizers(connector -> connector.setProperty("socket.txBufSize", "16384"));
        }
    }

    static Stream<Arguments> unread() {
        return Stream.of(
                Arguments.of("GET /docs/index.html", LENGTH, "x", 200),
                Arguments.of("GET /docs/index.html", CHUNKED, "5\r", 200),
                Arguments.of("GET /docs/index.html", CHUNKED, "0\r\nTrailer: x", 200),
                Arguments.of("GET /docs/index.html", "Content-Length: 1000\r\n", "x", 200),
                Arguments.of("GET /", LENGTH, "x", 302),
                Arguments.of("HEAD /docs/index.html", LENGTH, "x", 200),
                Arguments.of("GET " + EVENTS, LENGTH, "x", 401),
                Arguments.of("DELETE " + EVENTS, LENGTH, "x", 401),
                Arguments.of("OPTIONS " + EVENTS, CHUNKED, "x", 401),
                Arguments.of("POST " + EVENTS, LENGTH + "X-Correlation-Id: ?\r\n", "x", 400),
                Arguments.of("POST " + EVENTS, LENGTH + "Content-Encoding: gzip\r\n", "x", 415),
                Arguments.of("TRACE /", LENGTH, "x", 401),
                Arguments.of("GET <", LENGTH, "x", 400));
    }

    @ParameterizedTest(name = "{0} {1}: {3}")
    @MethodSource("unread")
    void closesAfterTheAnswerWhenTheBodyTrickles(String line, String headers, String body, int status)
            throws Exception {
        try (Socket socket = new Socket("127.0.0.1", uri("/").getPort())) {
            assertThat(trickled(socket, line, HOST + headers, body)).isEqualTo(status);
        }
    }

    @ParameterizedTest
    @MethodSource
    void closesAfterTheAnswerOnTheManagementPort(String line, String headers) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", managementUri("/").getPort())) {
            assertThat(trickled(socket, line, HOST + headers, "x")).isIn(200, 400, 401, 404, 405);
        }
    }

    static Stream<Arguments> closesAfterTheAnswerOnTheManagementPort() {
        return Stream.of(
                Arguments.of("GET /observe/health/live", LENGTH),
                Arguments.of("GET /observe/health/live", CHUNKED),
                Arguments.of("POST /observe/health", LENGTH),
                Arguments.of("PUT /nothing", LENGTH));
    }

    @Test
    void keepsTheConnectionAfterAShortBody() throws IOException {
        String request = "POST " + EVENTS + " HTTP/1.1\r\n" + HOST + JSON + "Content-Length: 3\r\n";
        try (Socket socket = RawHttp.open(
                uri("/").getPort(), bytes(request + "\r\n{ }" + request + "Connection: close\r\n\r\n{ }"))) {
            assertThat(text(socket.getInputStream().readAllBytes()))
                    .as("both answers, on one connection")
                    .containsPattern("(?s)HTTP/1.1 401.*HTTP/1.1 401");
        }
    }

    @Test
    void keepsTheConnectionOfAnHttp10Client() throws IOException {
        String request = "GET /docs/index.html HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n{ }";
        try (Socket socket =
                RawHttp.open(uri("/").getPort(), bytes(request + request.replace("keep-alive", "close")))) {
            assertThat(text(socket.getInputStream().readAllBytes())).containsPattern("(?s)HTTP/1.1 200.*HTTP/1.1 200");
        }
    }

    @Test
    void letsAStillSendingCallerFindTheAnswer() throws IOException {
        try (Socket socket = RawHttp.open(
                uri("/").getPort(), bytes("POST " + EVENTS + " HTTP/1.1\r\n" + HOST + JSON + LENGTH + "\r\n"))) {
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            answer.write(socket.getInputStream().read());
            for (int i = 0; i < 10; i++) {
                socket.getOutputStream().write(new byte[50_000]);
            }
            answer.writeBytes(socket.getInputStream().readAllBytes());
            assertThat(Answer.of(answer.toByteArray()).head()).contains("401").contains("Connection: close");
        }
    }

    @Test
    void letsALateRejectedSenderFindTheAnswer() throws IOException {
        String client = HOST + "Authorization: " + TOKENS.of("reader") + "\r\nContent-Length: 500000\r\n";
        List<Socket> requests = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            requests.add(RawHttp.open(
                    uri("/").getPort(), RawHttp.request("GET /docs/index.html", client, new byte[500_000])));
        }
        List<Answer> answers = new ArrayList<>();
        for (Socket request : requests) {
            answers.add(Answer.of(request.getInputStream().readAllBytes()));
            request.close();
        }
        assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).isIn(200, 429));
        assertThat(answers).anySatisfy(answer -> {
            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.head()).contains("Retry-After").contains("Connection: close");
        });
    }

    @ParameterizedTest
    @MethodSource
    void announcesTheEndOfTheConnection(String headers, String body, boolean ends) throws IOException {
        try (Socket socket = RawHttp.open(
                uri("/").getPort(), RawHttp.request("POST " + EVENTS, HOST + JSON + headers, bytes(body)))) {
            byte[] head = new byte[2000];
            int n = socket.getInputStream().read(head);
            String answer = new String(head, 0, n, StandardCharsets.ISO_8859_1);
            assertThat(answer).startsWith("HTTP/1.1 401");
            assertThat(answer.contains("Connection: close")).isEqualTo(ends);
        }
    }

    static Stream<Arguments> announcesTheEndOfTheConnection() {
        return Stream.of(
                Arguments.of(CHUNKED, "5\r\n{", true),
                Arguments.of("Content-Length: 1000\r\n", "{", true),
                Arguments.of(LENGTH, "{", true),
                Arguments.of("Content-Length: 3\r\n", "{ }", false));
    }

    @Test
    void sendsNo100ContinueToARejectedCaller() throws IOException {
        String expects = JSON + "Expect: 100-continue\r\nConnection: close\r\n";
        byte[] body = bytes(
                """
                        {"id":"%s","patientId":"p","medication":{"name":"n"}}""".formatted(id));
        String head = "POST " + EVENTS + " HTTP/1.1\r\n" + HOST + expects + "Content-Length: " + body.length + "\r\n";
        try (Socket stranger = RawHttp.open(uri("/").getPort(), bytes(head + "\r\n"))) {
            assertThat(text(stranger.getInputStream().readAllBytes())).startsWith("HTTP/1.1 401");
        }
        try (Socket caller =
                RawHttp.open(uri("/").getPort(), bytes(head + "Authorization: " + TOKENS.sandbox() + "\r\n\r\n"))) {
            assertThat(text(caller.getInputStream().readNBytes(12))).isEqualTo("HTTP/1.1 100");
            caller.getOutputStream().write(body);
            assertThat(text(caller.getInputStream().readAllBytes())).contains("HTTP/1.1 202");
        }
    }

    @Test
    void endsATricklingHead() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", uri("/").getPort())) {
            socket.getOutputStream().write(bytes("GET /docs/index.html HTTP/1.1\r\nX-A: "));
            Thread trickle = trickle(socket);
            assertThat(endOf(socket)).isEmpty();
            trickle.join(PATIENCE.toMillis());
        }
    }

    @Test
    void endsResponsesThatNobodyReads() throws IOException {
        // more than the network buffers
        String requests = "GET %s HTTP/1.1\r\n%s\r\n".formatted(FILE, HOST).repeat(10);
        try (Socket socket = new Socket()) {
            socket.setReceiveBufferSize(4096);
            socket.connect(new InetSocketAddress("127.0.0.1", uri("/").getPort()));
            socket.getOutputStream().write(bytes(requests));
            await().atMost(PATIENCE).until(SlowCallersIT::answers);
            await().atMost(PATIENCE).until(() -> !answers());
        }
    }

    @Test
    void endsATricklingStream() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", uri("/").getPort())) {
            String head = HOST + "Authorization: " + TOKENS.sandbox() + "\r\nContent-Type: application/x-ndjson\r\n";
            assertThat(trickled(socket, "POST " + EVENTS, head + LENGTH, "{")).isEqualTo(408);
        }
    }

    @Test
    void endsAStreamOfWrongLines() throws IOException {
        byte[] lines = bytes("{}\n".repeat(100_000));
        Answer answer = RawHttp.send(
                uri("/").getPort(),
                RawHttp.request(
                        "POST " + EVENTS,
                        HOST + "Authorization: " + TOKENS.sandbox()
                                + "\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\nContent-Length: "
                                + lines.length + "\r\n",
                        lines));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText())
                .startsWith("1000 consecutive lines are wrong, the last one is line 1000: /patientId");
    }

    @Test
    void leavesOtherClientsTheirShareOfWaitingRequests() throws IOException {
        List<Socket> slow = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            slow.add(body(TOKENS.sandbox(), "Content-Length: 500\r\n"));
        }
        try (Socket other = body(TOKENS.of("other"), "Content-Length: 2\r\nConnection: close\r\n")) {
            other.getOutputStream().write('}');
            assertThat(Answer.of(other.getInputStream().readAllBytes()).status())
                    .isEqualTo(400);
        }
        List<Answer> answers = new ArrayList<>();
        for (Socket socket : slow) {
            answers.add(Answer.of(socket.getInputStream().readAllBytes()));
            socket.close();
        }
        assertThat(answers).anySatisfy(answer -> {
            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.body()).contains("this client has 2 requests that wait for a body");
            assertThat(answer.head()).contains("Retry-After");
        });
        assertThat(management("/observe/metrics").body())
                .contains("event_broker_http_refused_total{application=\"event-broker\",limit=\"client-waiting\"}");
    }

    /** A request whose body has begun. */
    private Socket body(String authorization, String headers) throws IOException {
        return RawHttp.open(
                uri("/").getPort(),
                RawHttp.request(
                        "POST " + EVENTS,
                        HOST + "Authorization: " + authorization + "\r\n" + JSON + headers,
                        bytes("{")));
    }

    private static boolean answers() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Arrays::stream)
                .anyMatch(frame -> frame.getClassName().startsWith(DeadlineResponse.class.getName()));
    }

    /** Sends a request with a trickling body and reads until the server closes the connection. */
    private static int trickled(Socket socket, String line, String headers, String body) throws Exception {
        socket.getOutputStream().write(RawHttp.request(line, headers, bytes(body)));
        Thread trickle = trickle(socket);
        Answer answer = Answer.of(endOf(socket).getBytes(StandardCharsets.ISO_8859_1));
        trickle.join(PATIENCE.toMillis());
        assertThat(trickle.isAlive()).as("the server stops the trickle").isFalse();
        return answer.status();
    }

    private static String endOf(Socket socket) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            socket.getInputStream().transferTo(all);
        } catch (SocketException e) {
            // the server closed during the write
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    private static Thread trickle(Socket socket) throws IOException {
        OutputStream out = socket.getOutputStream();
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    TimeUnit.MILLISECONDS.sleep(TRICKLE.toMillis());
                    out.write('x');
                }
            } catch (IOException | InterruptedException e) {
                // the server has closed the connection
            }
        });
        thread.start();
        return thread;
    }
}
