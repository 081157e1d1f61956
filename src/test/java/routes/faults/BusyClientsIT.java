package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
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
    private static final String ORDERS = "/api/pharmacy-orders?limit=1&patientId=nobody";

    /** A large file that needs no token. */
    private static final String FILE = "/webjars/swagger-ui/swagger-ui-bundle.js";

    private static final String EVENTS = "POST /api/topics/medication.prescription.created/events";

    private static Instance instance;
    private static Tokens tokens;

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
        BusyCallers callers = new BusyCallers(instance.runtime.uri("").getPort(), attack.callers());
        try (callers;
                SteadyReads reads = new SteadyReads(instance.runtime, ORDERS, tokens.of("other"))) {
            reads.start();
            callers.goOnFor(LENGTH);
            SteadyReads.Durations durations = reads.stop();
            System.out.printf(
                    "faults: busy doors: %s for %d s: %s; the others were answered %s%n",
                    attack, LENGTH.toSeconds(), durations, callers.answers());
            assertThat(durations.p99()).isLessThan(SteadyReads.FAST.toMillis());
        }
    }
}
