package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import sandbox.Servers;
import sandbox.Tokens;

/** Passes transactions with a heap of 256 MB. A double answers them, faster than a real server would. */
@Tag("faults")
class FhirStreamIT {

    private static final int CLIENTS = 8;
    private static final int ENTRIES = 200;
    private static final int TRANSACTIONS = 300;
    private static final int WARM_UP = 40;

    /** For what a collection leaves by chance. */
    private static final long TOLERANCE_MIB = 16;

    private static Servers servers;
    private static FhirDouble server;
    private static JdbcClient jdbc;
    private static String authorization;

    private final String run = "stream-" + UUID.randomUUID();
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger rejected = new AtomicInteger();
    private final HttpClient http = HttpClient.newHttpClient();
    private Instance instance;

    @BeforeAll
    static void start() throws Exception {
        servers = Servers.shared();
        jdbc = JdbcClient.create(Clients.database(servers));
        authorization = new Tokens(servers.tokenIssuer().address()).of("other");
        server = new FhirDouble();
        AtomicInteger made = new AtomicInteger();
        server.answerOthers((call, out) -> FhirDouble.write(out, FhirDouble.ok(answer(call.body(), made))));
    }

    /** Answers each entry as a server does. */
    private static String answer(String body, AtomicInteger made) {
        int entries = body.split("\"request\"", -1).length - 1;
        return IntStream.range(0, entries)
                .mapToObj(n ->
                        """
                        {"response": {"status": "201 Created", "location": "Basic/%d/_history/1", "etag": "1"}}"""
                                .formatted(made.incrementAndGet()))
                .collect(Collectors.joining(
                        ",", "{\"resourceType\": \"Bundle\", \"type\": \"transaction-response\", \"entry\": [", "]}"));
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @AfterEach
    void stopInstance() {
        instance.close();
    }

    private void startRuntime(String... environment) {
        List<String> all =
                new ArrayList<>(List.of(Instance.OWN_ROUTES, "EVENTBROKER_FHIR_SERVERS_OTHER_URL=" + server.url()));
        all.addAll(List.of(environment));
        instance = new Instance(servers, all.toArray(String[]::new));
        instance.ready();
    }

    @Test
    void passesAStreamOfTransactions() throws Exception {
        startRuntime("EVENTBROKER_FHIR_MAXBODY=1MB", "EVENTBROKER_FHIR_MAXBYTES=1MB");
        send(WARM_UP, 1);
        long before = instance.runtime.heapMegabytes();
        send(TRANSACTIONS, 1);
        long after = instance.runtime.heapMegabytes();

        System.out.printf(
                "faults: %d FHIR transactions of %d entries: heap %d MiB before, %d MiB after; %d rejected and repeated%n",
                TRANSACTIONS, ENTRIES, before, after, rejected.get());
        requireAllNoted(TRANSACTIONS + WARM_UP);
        assertThat(after).isLessThan(before + TOLERANCE_MIB);
        assertThat(rejected).as("rejected transactions").hasPositiveValue();
    }

    /** The heap holds fewer of the largest bodies than there are clients. */
    @Test
    void passesTheLargestTransactionsAtOnce() throws Exception {
        startRuntime();
        send(4 * CLIENTS, 70);

        System.out.printf(
                "faults: %d FHIR transactions of %d MiB by %d clients at once: %d rejected and repeated%n",
                4 * CLIENTS, transaction(70).length() >> 20, CLIENTS, rejected.get());
        requireAllNoted(4 * CLIENTS);
    }

    /** @param kilobytes of each entry */
    private void send(int transactions, int kilobytes) throws Exception {
        String body = transaction(kilobytes);
        int goal = sent.get() + transactions;
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                all.add(clients.submit(() -> {
                    for (int n = sent.incrementAndGet(); n <= goal; n = sent.incrementAndGet()) {
                        send(run + "-" + n, body);
                    }
                    return null;
                }));
            }
            for (Future<Void> client : all) {
                client.get();
            }
        } finally {
            clients.shutdownNow();
            sent.set(goal);
        }
    }

    private void send(String correlationId, String body) throws InterruptedException {
        while (true) {
            try {
                HttpResponse<String> answer = http.send(
                        HttpRequest.newBuilder(instance.runtime.uri("/fhir"))
                                .header("Authorization", authorization)
                                .header("X-Correlation-Id", correlationId)
                                .header("Content-Type", "application/fhir+json")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return;
                }
                assertThat(answer.statusCode()).as(answer.body()).isIn(429, 503);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
            } catch (IOException e) {
                // the runtime rejects a large body before it has read it, so the connection ends while the client sends
                assertThat(body.length()).as(e.toString()).isGreaterThan(1 << 20);
            }
            rejected.incrementAndGet();
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private static String transaction(int kilobytes) {
        String entry =
                """
                {"resource": {"resourceType": "Basic", "code": {"text": "%s"}}, "request": {"method": "POST", "url": "Basic"}}"""
                        .formatted("x".repeat(1000 * kilobytes));
        return "{\"resourceType\": \"Bundle\", \"type\": \"transaction\", \"entry\": ["
                + (entry + ",").repeat(ENTRIES - 1)
                + entry
                + "]}";
    }

    private void requireAllNoted(int transactions) {
        assertThat(jdbc.sql(
                                """
                                select count(*) from fhir_intent where correlation_id like ? and state = 'DONE'""")
                        .param(run + "-%")
                        .query(Integer.class)
                        .single())
                .as("intents")
                .isEqualTo(transactions);
        assertThat(jdbc.sql(
                                """
                                select count(*) from fhir_outcome o join fhir_intent i on i.request_id = o.request_id
                                where i.correlation_id like ? and o.confirmed""")
                        .param(run + "-%")
                        .query(Integer.class)
                        .single())
                .as("outcomes")
                .isEqualTo(transactions * ENTRIES);
    }
}
