package routes.platform.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import routes.RuntimeIT;

/** Every operation that takes an {@code Idempotency-Key}, asked more than once. */
class IdempotencyKeysIT extends RuntimeIT {

    private static final int AT_ONCE = 10;
    private static final String CREATED = "medication.prescription.created";
    private static final String EVENTS = "/api/topics/" + CREATED + "/events";
    private static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String id = "idem-" + UUID.randomUUID();
    private final String prescription =
            """
                    {"id":"%s","patientId":"%s","medication":{"name":"Aspirin"}}""".formatted(id, id);

    /** Of ten first requests at once, those that wait for another one to fetch the issuer's keys may be 503. */
    @BeforeEach
    void awaitTheKeysOfTheIssuer() {
        await().atMost(PATIENCE).until(() -> get("/api/activity?limit=1").statusCode() == 200);
    }

    /** Operation, path, media type, body, and the topic that has a record of it; {@code ID} is the id of the test. */
    static Stream<Arguments> operations() {
        String prescription = """
                {"id":"ID","patientId":"ID","medication":{"name":"Aspirin"}}""";
        String commands = "medication.commands";
        return Stream.of(
                Arguments.of("publishEvents", "POST", EVENTS, JSON, prescription, CREATED),
                Arguments.of("publishEvents, a stream", "POST", EVENTS, NDJSON, prescription + "\n", CREATED),
                Arguments.of(
                        "appendPatientEvent",
                        "POST",
                        "/api/patients/ID/events",
                        JSON,
                        """
                                {"type":"patient.profile.created","data":{"firstName":"Zoe"}}""",
                        "patient.events"),
                Arguments.of("createPrescription", "POST", "/api/prescriptions", JSON, prescription, commands),
                Arguments.of(
                        "updatePrescription",
                        "PUT",
                        "/api/prescriptions/ID",
                        JSON,
                        """
                                {"quantity":1}""",
                        commands),
                Arguments.of("cancelPrescription", "POST", "/api/prescriptions/ID/cancel", JSON, "{}", commands));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void tenAtOnceMakeOneRecordAndGetOneAnswer(
            String operation, String method, String path, String mediaType, String body, String topic)
            throws Exception {
        List<HttpResponse<String>> answers =
                atOnce(() -> ask(method, path.replace("ID", id), mediaType, body.replace("ID", id)));

        assertOneAnswer(answers);
        assertThat(recordsOf(topic)).isEqualTo(1);
        HttpResponse<String> later = ask(method, path.replace("ID", id), mediaType, body.replace("ID", id));
        assertThat(later.statusCode()).isEqualTo(202);
        assertThat(later.headers().firstValue("Content-Type")).contains(JSON);
        assertThat(answers).extracting(HttpResponse::body).contains(later.body());
        HttpResponse<String> other = ask(method, path.replace("ID", id), mediaType, body.replace("ID", id) + " ");
        assertThat(other.statusCode()).as(other.body()).isEqualTo(409);
        assertThat(other.headers().firstValue("Retry-After")).isEmpty();
        assertThat(recordsOf(topic)).isEqualTo(1);
    }

    @Test
    void tenRequestsAtOnceStartOneJob() throws Exception {
        String body = """
                {"topic":"%s","reason":"%s"}""".formatted(id, id);

        List<HttpResponse<String>> answers = atOnce(() -> ask("POST", "/api/dead-letters/reprocess", JSON, body));

        assertOneAnswer(answers);
        assertThat(jdbc.sql("select count(*) from reprocess_job where reason = ?")
                        .param(id)
                        .query(Integer.class)
                        .single())
                .isEqualTo(1);
    }

    @Test
    void takesOverAKeyWhenTheLeaseOfADeadOwnerEnds() {
        died(id, "now() + interval '1 minute'");
        HttpResponse<String> early = ask("POST", EVENTS, JSON, prescription);
        assertThat(early.statusCode()).as(early.body()).isEqualTo(409);
        assertThat(early.headers().firstValue("Retry-After")).isPresent();
        assertThat(recordsOf(CREATED)).isZero();

        died(id, "now() - interval '1 second'");
        assertThat(ask("POST", EVENTS, JSON, prescription).statusCode()).isEqualTo(202);
        assertThat(recordsOf(CREATED)).isEqualTo(1);
    }

    @Test
    void leavesTheKeyOfARefusedRequestUnused() {
        HttpResponse<String> refused =
                ask("POST", "/api/dead-letters/reprocess", JSON, """
                        {"topic":"x","rate":0}""");
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);

        assertThat(ask("POST", EVENTS, JSON, prescription).statusCode()).isEqualTo(202);
    }

    @Test
    void keepsTheLeaseOfTheNextStream() throws Exception {
        try (Slow first = new Slow();
                Slow second = new Slow()) {
            first.begin();
            await().atMost(PATIENCE).until(() -> owner() != null);
            String firstOwner = owner();
            jdbc.sql("update idempotency_key set leased_until = now() - interval '1 second' where key = ?")
                    .param(id)
                    .update();
            second.begin();
            await().atMost(PATIENCE).until(() -> !firstOwner.equals(owner()));
            String secondOwner = owner();

            assertThat(first.end()).startsWith("HTTP/1.1 ");

            assertThat(owner()).as("the second still has it").isEqualTo(secondOwner);
            HttpResponse<String> third = ask("POST", EVENTS, NDJSON, prescription + "\n");
            assertThat(third.statusCode()).as(third.body()).isEqualTo(409);
            assertThat(third.headers().firstValue("Retry-After")).isPresent();
            String answer = second.end();
            assertThat(answer).startsWith("HTTP/1.1 202");
            assertThat(answer)
                    .contains(ask("POST", EVENTS, NDJSON, prescription + "\n").body());
        }
    }

    private String owner() {
        return jdbc.sql("select owner::text from idempotency_key where key = ?")
                .param(id)
                .query(String.class)
                .optional()
                .orElse(null);
    }

    /** A row as a request leaves it whose process was killed before it sent anything. */
    private void died(String key, String leasedUntil) {
        jdbc.sql("delete from idempotency_key where key = ?").param(key).update();
        jdbc.sql(
                        "insert into idempotency_key (tenant, client, key, owner, leased_until) values ('default', 'sandbox', ?, ?, "
                                + leasedUntil + ")")
                .params(key, UUID.randomUUID())
                .update();
    }

    private static void assertOneAnswer(List<HttpResponse<String>> answers) {
        assertThat(answers).filteredOn(answer -> answer.statusCode() != 202).allSatisfy(answer -> {
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(409);
            assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        });
        assertThat(answers.stream()
                        .filter(answer -> answer.statusCode() == 202)
                        .map(HttpResponse::body)
                        .distinct())
                .hasSize(1);
    }

    private HttpResponse<String> ask(String method, String path, String mediaType, String body) {
        return exchange(request(path)
                .header("Content-Type", mediaType)
                .header("Idempotency-Key", id)
                .method(method, HttpRequest.BodyPublishers.ofString(body)));
    }

    private static List<HttpResponse<String>> atOnce(Callable<HttpResponse<String>> request) throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(AT_ONCE);
        CyclicBarrier together = new CyclicBarrier(AT_ONCE);
        List<Future<HttpResponse<String>>> asked = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            asked.add(clients.submit(() -> {
                together.await();
                return request.call();
            }));
        }
        List<HttpResponse<String>> answers = new ArrayList<>();
        for (Future<HttpResponse<String>> one : asked) {
            answers.add(one.get());
        }
        clients.shutdown();
        return answers;
    }

    private long recordsOf(String topic) {
        return records(topic).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(id))
                .count();
    }

    /** A stream of one line that does not end before it is told to. */
    private final class Slow implements AutoCloseable {

        private final Socket socket;

        Slow() throws IOException {
            socket = new Socket("127.0.0.1", uri("/").getPort());
        }

        void begin() throws IOException {
            String line = prescription + "\n";
            write(
                    """
                    POST %s HTTP/1.1\r
                    Host: localhost\r
                    Authorization: %s\r
                    Content-Type: %s\r
                    Idempotency-Key: %s\r
                    Transfer-Encoding: chunked\r
                    Connection: close\r
                    \r
                    %x\r
                    %s\r
                    """
                            .formatted(EVENTS, TOKENS.sandbox(), NDJSON, id, line.length(), line));
        }

        String end() throws IOException {
            write("0\r\n\r\n");
            return text(socket.getInputStream().readAllBytes());
        }

        private void write(String request) throws IOException {
            socket.getOutputStream().write(bytes(request));
            socket.getOutputStream().flush();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
