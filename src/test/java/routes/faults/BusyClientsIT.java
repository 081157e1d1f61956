package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import sandbox.Servers;
import sandbox.Tokens;

/** Floods the HTTP ports in several ways while another client reads: its reads stay fast. */
@Tag("faults")
class BusyClientsIT {

    private static final Duration LENGTH = Duration.ofSeconds(30);
    private static final int READS_PER_SECOND = 20;
    private static final int WARM_UP = 300;
    private static final Duration FAST = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String ORDERS = "/api/pharmacy-orders?limit=1&patientId=nobody";

    /** A large file that needs no token. */
    private static final String FILE = "/webjars/swagger-ui/swagger-ui-bundle.js";

    private static final String EVENTS = "POST /api/topics/medication.prescription.created/events";

    private static Instance instance;
    private static Tokens tokens;

    private final HttpClient client = HttpClient.newHttpClient();

    @BeforeAll
    static void start() throws Exception {
        Servers servers = Servers.shared();
        instance = new Instance(servers, Instance.OWN_ROUTES);
        instance.ready();
        tokens = new Tokens(servers.tokenIssuer().address());
    }

    @AfterAll
    static void stop() {
        instance.close();
    }

    /** @param callers for the port of the API */
    record Attack(String name, List<BusyCallers.Kind> callers) {

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Attack> attacks() {
        String sandbox = "Authorization: " + tokens.sandbox() + "\r\n";
        return Stream.of(
                new Attack("nobody else", List.of()),
                new Attack("1000 idle connections", List.of(BusyCallers.Kind.slow(1000, "", ""))),
                new Attack(
                        "200 slow heads",
                        List.of(BusyCallers.Kind.slow(200, "GET /docs/index.html HTTP/1.1\r\nX-A: ", "x"))),
                new Attack(
                        "64 slow unread bodies",
                        List.of(BusyCallers.Kind.slow(
                                64, head("GET /docs/index.html", "Content-Length: 1000000\r\n"), "x"))),
                new Attack(
                        "32 slow bodies and 16 streams",
                        List.of(
                                BusyCallers.Kind.slow(
                                        32,
                                        head(
                                                EVENTS,
                                                sandbox + "Content-Type: application/json\r\nContent-Length: 500\r\n"),
                                        " "),
                                BusyCallers.Kind.slow(
                                        16,
                                        head(
                                                EVENTS,
                                                sandbox
                                                        + "Content-Type: application/x-ndjson\r\nContent-Length: 1000000\r\n"),
                                        " "))),
                new Attack(
                        "a flood of one client over 64 connections",
                        List.of(BusyCallers.Kind.flood(64, head("GET " + ORDERS, sandbox)))),
                new Attack(
                        "a stranger who takes large files slowly and many small ones, and a flood of one client",
                        List.of(
                                BusyCallers.Kind.slowTakers(
                                        64, head("GET " + FILE, "").repeat(10)),
                                BusyCallers.Kind.flood(32, head("GET /docs/index.html", "")),
                                BusyCallers.Kind.flood(64, head("GET " + ORDERS, sandbox)))));
    }

    private static String head(String line, String headers) {
        return line + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    void keepsTheReadsOfAnotherClientFast(Attack attack) throws Exception {
        for (int i = 0; i < WARM_UP; i++) {
            read().get();
        }
        List<CompletableFuture<Long>> reads = Collections.synchronizedList(new ArrayList<>());
        BusyCallers callers = new BusyCallers(instance.runtime.uri("").getPort(), attack.callers());
        try (callers) {
            ScheduledExecutorService reader = Executors.newSingleThreadScheduledExecutor();
            reader.scheduleAtFixedRate(() -> reads.add(read()), 0, 1_000_000 / READS_PER_SECOND, TimeUnit.MICROSECONDS);
            callers.goOnFor(LENGTH);
            reader.shutdown();
            assertThat(reader.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
        List<Long> millis = new ArrayList<>();
        for (CompletableFuture<Long> one : reads) {
            millis.add(one.get());
        }
        Collections.sort(millis);
        long p99 = millis.get(millis.size() * 99 / 100);
        System.out.printf(
                "faults: busy doors: %s for %d s: %d reads of another client, p50 %d ms, p99 %d ms, longest %d ms; the others were answered %s%n",
                attack,
                LENGTH.toSeconds(),
                millis.size(),
                millis.get(millis.size() / 2),
                p99,
                millis.get(millis.size() - 1),
                callers.answers());
        assertThat(p99).isLessThan(FAST.toMillis());
    }

    /** @return the duration in milliseconds */
    private CompletableFuture<Long> read() {
        long began = System.nanoTime();
        HttpRequest request = HttpRequest.newBuilder(instance.runtime.uri(ORDERS))
                .header("Authorization", tokens.of("other"))
                .timeout(PATIENCE)
                .build();
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofString()).thenApply(answer -> {
            assertThat(answer.statusCode()).isEqualTo(200);
            return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
        });
    }
}
