package routes.platform.fhir;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.Status;
import routes.platform.fhir.FhirSettings.Server;

@Timeout(30)
class FhirServersHealthTest {

    private static final Duration INTERVAL = Duration.ofMillis(50);
    private static final Instant START = Instant.parse("2026-11-01T00:00:00Z");

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private RawServer server;
    private RawServer other;
    private FhirServerStates states;
    private FhirServerProbe probe;
    private FhirServersHealth health;
    private volatile Instant now = START;

    @BeforeEach
    void start() throws Exception {
        server = new RawServer();
        other = new RawServer();
        FhirSettings settings = TestFhirSettings.of(Map.of(
                "default", new Server(server.url("/fhir"), null, null, "secret"),
                "other", new Server(other.url("/r4"), null, null, null)));
        Clock clock = new Clock() {
            @Override
            public Instant instant() {
                return now;
            }

            @Override
            public ZoneOffset getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
                return this;
            }
        };
        states = new FhirServerStates(settings, meters, clock);
        probe = new FhirServerProbe(settings, states, INTERVAL);
        health = new FhirServersHealth(settings, states);
    }

    @AfterEach
    void stop() throws Exception {
        probe.stop();
        server.close();
        other.close();
    }

    private static void answer(RawServer server, int status) {
        server.answer("HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".formatted(status));
    }

    private Object detail(String tenant) {
        return health.health().getDetails().get(tenant);
    }

    private double gauge(String tenant) {
        return meters.get("event-broker.fhir.server.up")
                .tag("tenant", tenant)
                .gauge()
                .value();
    }

    @Test
    void knowsNothingBeforeTheFirstCall() {
        assertThat(health.health().getStatus()).isEqualTo(Status.UP);
        assertThat(detail("default")).isEqualTo(Map.of("status", "UNKNOWN"));
        assertThat(gauge("default")).isNaN();
    }

    @Test
    void namesTheTenantWhoseServerDoesNotAnswer() {
        answer(server, 200);
        answer(other, 503);

        probe.start();

        await().untilAsserted(() -> assertThat(health.health())
                .isEqualTo(Health.down()
                        .withDetail("default", Map.of("status", "UP", "since", START))
                        .withDetail("other", Map.of("status", "DOWN", "since", START, "reason", "503"))
                        .build()));
        assertThat(gauge("default")).isEqualTo(1);
        assertThat(gauge("other")).isZero();
        assertThat(server.heads().get(0))
                .startsWith("HEAD /fhir/metadata?")
                .contains("Authorization: Bearer secret\r\n");
    }

    @Test
    void keepsTheTimeOfTheLastChange() {
        answer(server, 200);
        answer(other, 200);
        probe.start();
        await().until(() -> health.health().getDetails().toString().contains("UP"));

        now = START.plusSeconds(60);
        await().until(() -> server.heads().size() > 3);
        assertThat(detail("default")).isEqualTo(Map.of("status", "UP", "since", START));

        answer(server, 500);
        await().untilAsserted(() -> assertThat(detail("default"))
                .isEqualTo(Map.of("status", "DOWN", "since", START.plusSeconds(60), "reason", "500")));

        now = START.plusSeconds(90);
        answer(server, 200);
        await().untilAsserted(() ->
                assertThat(detail("default")).isEqualTo(Map.of("status", "UP", "since", START.plusSeconds(90))));
    }

    @ParameterizedTest
    @CsvSource({"400, UP", "401, DOWN", "403, UP", "404, DOWN", "405, UP", "500, DOWN", "501, UP", "502, DOWN"})
    void judgesAnAnswer(int status, String state) {
        answer(server, status);
        answer(other, 200);

        probe.start();

        await().untilAsserted(() -> assertThat(detail("default").toString()).contains("status=" + state));
    }

    @Test
    void waitsForNoServer() {
        server.answer((in, out) -> {
            out.write("HTTP/1.1 200 OK\r\n".getBytes(ISO_8859_1));
            Thread.sleep(60_000);
        });
        answer(other, 200);

        probe.start();

        await().until(() -> !server.heads().isEmpty());
        await().atMost(Duration.ofSeconds(2))
                .untilAsserted(() -> assertThat(detail("other").toString()).contains("status=UP"));
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(detail("default").toString())
                        .contains("status=DOWN")
                        .contains("SocketTimeoutException"));
    }

    @Test
    void learnsFromCallsThatAServerIsDownAndFromTheProbeThatItIsUp() {
        states.called("default", CallResult.SLOW, "SocketTimeoutException");
        states.called("default", CallResult.FAILED, "500");
        assertThat(detail("default").toString()).contains("UNKNOWN");
        states.called("default", CallResult.OK, null);
        assertThat(detail("default").toString()).contains("UP");
        states.called("default", CallResult.UNREACHABLE, "ConnectException");
        assertThat(detail("default").toString()).contains("DOWN").contains("ConnectException");
        states.called("default", CallResult.OK, null);
        assertThat(detail("default").toString()).contains("DOWN");
        states.probed("default", null);
        assertThat(detail("default").toString()).contains("UP");
    }

    @Test
    void knowsWrongCredentialsWhereMetadataIsForEveryone() {
        answer(other, 200);
        server.answerByHead(
                (head, in, out) -> out.write("HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        .formatted(head.contains("/metadata") ? 200 : 401)
                        .getBytes(ISO_8859_1)));

        probe.start();
        await().until(() -> server.heads().size() > 3);

        assertThat(detail("default")).isEqualTo(Map.of("status", "DOWN", "since", START, "reason", "401"));
        states.called("default", CallResult.CREDENTIALS_REFUSED, "401");
        await().during(INTERVAL.multipliedBy(4)).until(() -> gauge("default") == 0);
    }

    @Test
    void takesThePageOfAProxyForAServerThatIsDown() {
        answer(other, 200);
        server.answer("HTTP/1.1 200 x\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        probe.start();

        await().untilAsserted(() -> assertThat(detail("default").toString()).contains("status=DOWN"));
    }

    @Test
    void stopsAndStartsAgain() {
        answer(server, 200);
        answer(other, 200);
        probe.start();
        assertThat(probe.isRunning()).isTrue();

        probe.stop();
        assertThat(probe.isRunning()).isFalse();
        probe.start();

        await().until(() -> !server.heads().isEmpty());
    }
}
