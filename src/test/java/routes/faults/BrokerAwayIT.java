package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.TopicRecords;
import sandbox.Servers;
import sandbox.Tokens;

/** Freezes the broker while callers write, and checks that readers notice nothing. */
@Tag("faults")
class BrokerAwayIT {

    private static final String CREATED = "medication.prescription.created";
    private static final Duration AWAY = Duration.ofSeconds(35);
    private static final int READS_PER_SECOND = 20;
    private static final Duration FAST = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private static Servers servers;
    private static Instance instance;
    private static String reader;

    private final HttpClient client = HttpClient.newHttpClient();
    private final String id = "away-" + UUID.randomUUID();
    private final List<CompletableFuture<HttpResponse<String>>> writes = new ArrayList<>();
    private final List<CompletableFuture<Long>> reads = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        servers = Servers.own("broker-away-servers");
        instance = new Instance(servers, Instance.OWN_ROUTES);
        instance.ready();
        reader = new Tokens(servers.tokenIssuer().address()).of("other");
    }

    @AfterAll
    static void stop() {
        instance.close();
        servers.close();
    }

    @ParameterizedTest(name = "{0} writes a second")
    @ValueSource(ints = {2, 50})
    void readsStayFastWhileTheBrokerIsAway(int writesPerSecond) throws Exception {
        Awaitility.await().atMost(PATIENCE).until(() -> write(0).get().statusCode() == 202);
        for (int i = 0; i < 100; i++) {
            read().get();
        }
        writes.clear();
        reads.clear();
        servers.kafka().suspend();
        try {
            ScheduledExecutorService callers = Executors.newScheduledThreadPool(2);
            callers.scheduleAtFixedRate(
                    () -> writes.add(write(writes.size())), 0, 1_000_000 / writesPerSecond, TimeUnit.MICROSECONDS);
            callers.scheduleAtFixedRate(
                    () -> reads.add(read()), 0, 1_000_000 / READS_PER_SECOND, TimeUnit.MICROSECONDS);
            TimeUnit.MILLISECONDS.sleep(AWAY.toMillis());
            callers.shutdown();
            assertThat(callers.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
            writes.forEach(BrokerAwayIT::end);
        } finally {
            servers.kafka().resume();
        }
        List<Long> millis = new ArrayList<>();
        for (CompletableFuture<Long> one : reads) {
            millis.add(one.get());
        }
        Collections.sort(millis);
        long p99 = millis.get(millis.size() * 99 / 100);
        long refused = statuses(503) + statuses(429);
        System.out.printf(
                "faults: broker away for %d s, %d writes a second: %d writes, %d of them 503 or 429; %d reads, p50 %d ms, p99 %d ms, longest %d ms%n",
                AWAY.toSeconds(),
                writesPerSecond,
                writes.size(),
                refused,
                millis.size(),
                millis.get(millis.size() / 2),
                p99,
                millis.get(millis.size() - 1));
        assertThat(refused + statuses(202)).isEqualTo(writes.size());
        assertThat(refused).isPositive();
        assertThat(p99).isLessThan(FAST.toMillis());

        // the same key again: the first 202 means that the event is on the topic
        Awaitility.await().atMost(PATIENCE).until(() -> write(0).get().statusCode() == 202);
        assertThat(TopicRecords.read(Clients.brokers(servers), CREATED))
                .anyMatch(one -> new String(one.key()).equals(id + "-0"));
    }

    private CompletableFuture<HttpResponse<String>> write(int n) {
        String path =
                switch (n % 3) {
                    case 0 -> "/api/topics/" + CREATED + "/events";
                    case 1 -> "/api/prescriptions";
                    default -> "/api/patients/" + id + "/events";
                };
        String body = n % 3 == 2
                ? "{\"type\":\"patient.profile.created\",\"data\":{\"firstName\":\"n\"}}"
                : "{\"id\":\"%s-%d\",\"patientId\":\"%s\",\"medication\":{\"name\":\"n\"}}".formatted(id, n, id);
        return client.sendAsync(
                instance.runtime
                        .request(path)
                        .timeout(PATIENCE)
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", id + "-" + n)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /**
     * Reads as another client, because the writing client uses its whole share of the threads.
     *
     * @return duration in milliseconds
     */
    private CompletableFuture<Long> read() {
        long began = System.nanoTime();
        return client.sendAsync(
                        HttpRequest.newBuilder(instance.runtime.uri("/api/pharmacy-orders?limit=1&patientId=" + id))
                                .header("Authorization", reader)
                                .timeout(PATIENCE)
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .thenApply(answer -> {
                    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                });
    }

    private static void end(CompletableFuture<HttpResponse<String>> write) {
        try {
            write.get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private long statuses(int status) {
        return writes.stream()
                .filter(write -> write.join().statusCode() == status)
                .count();
    }
}
