package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import sandbox.ServerProcess;
import sandbox.Servers;

/**
 * Kills the runtime and the FHIR server within writes. Afterwards each version on the server is attributed to the
 * intent that made it, and no intent is open.
 */
@Tag("faults")
class FhirFaultsIT {

    private static final String[] SETTINGS = {
        Instance.OWN_ROUTES,
        "EVENTBROKER_FHIR_RESPONSETIMEOUT=4s",
        "EVENTBROKER_FHIR_CONNECTTIMEOUT=1s",
        "EVENTBROKER_FHIR_RESOLVEWITHIN=30s"
    };

    private static final Random RANDOM = new Random();
    private static final List<Instance> INSTANCES = new CopyOnWriteArrayList<>();

    private static Servers servers;
    private static ServerProcess fhir;
    private static Attribution attribution;

    private final String run = "run-" + UUID.randomUUID();
    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeAll
    static void startServers() {
        servers = Servers.own("fhir-faults-servers");
        fhir = servers.fhirServer();
        attribution = new Attribution(servers);
    }

    @AfterAll
    static void stopServers() {
        INSTANCES.forEach(Instance::close);
        servers.close();
    }

    @BeforeEach
    void startTwo() {
        List<Instance> started = new ArrayList<>();
        while (INSTANCES.size() + started.size() < 2) {
            started.add(new Instance(servers, SETTINGS));
        }
        started.forEach(Instance::ready);
        INSTANCES.addAll(started);
    }

    @Test
    void killedUnderLoad() throws Exception {
        try (FhirLoad load = new FhirLoad(run, INSTANCES)) {
            load.awaitSuccesses(50 + RANDOM.nextInt(100));
            killOne();
            startTwo();

            load.awaitSuccesses(50 + RANDOM.nextInt(100));
            fhir.suspend();
            load.awaitFailures(12);
            killOne();
            fhir.resume();
            startTwo();

            load.awaitSuccesses(50 + RANDOM.nextInt(100));
            fhir.kill();
            killOne();
            CompletableFuture<Void> starting = CompletableFuture.runAsync(fhir::start);
            startTwo();
            starting.join();
            load.awaitSuccesses(100);
            load.stop();
            attribution.awaitResolved();
            attribution.verify(
                    "kill -9 of the runtime x 3, of the server, a freeze; %d writes failed, %d refused"
                            .formatted(load.failed.get(), load.refused.get()),
                    load.successes);
        }
    }

    @Test
    void killedWhileTheServerCommits() throws Exception {
        try (Connection lock = locked(Clients.fhirDatabase(servers), "lock table hfj_res_ver in exclusive mode")) {
            putUpToTheLock();
            killFirst();
        }
        attribution.awaitResolved();

        assertThat(attribution.state(run)).isEqualTo("DONE");
        assertThat(attribution.noted(run)).containsExactly("Patient/" + run + "/_history/1");
        attribution.verify("kill -9 while the server commits", List.of());
    }

    @Test
    void killedBetweenTheAnswerAndTheNote() throws Exception {
        try (Connection server = locked(Clients.fhirDatabase(servers), "lock table hfj_res_ver in exclusive mode")) {
            putUpToTheLock();
            try (Connection note = locked(
                    Clients.database(servers),
                    "select 1 from fhir_intent where correlation_id = '" + run + "' for update")) {
                server.rollback();
                awaitWaitingForLock(Clients.database(servers), () -> {});
                killFirst();
            }
        }
        attribution.awaitResolved();

        assertThat(attribution.state(run)).isEqualTo("DONE");
        assertThat(attribution.noted(run)).containsExactly("Patient/" + run + "/_history/1");
        attribution.verify("kill -9 between answer and note", List.of());
    }

    @Test
    void bothKilledWithinATransaction() throws Exception {
        try (Connection lock = locked(Clients.fhirDatabase(servers), "lock table hfj_res_ver in exclusive mode")) {
            putUpToTheLock();
            fhir.kill();
            killFirst();
        }
        fhir.start();
        attribution.awaitResolved();

        assertThat(attribution.state(run)).isEqualTo("NO_EFFECT");
        assertThat(attribution.noted(run)).isEmpty();
        attribution.verify("kill -9 of both within a transaction", List.of());
    }

    /** Sends a write through the first instance, and waits until the server waits for the lock on its tables. */
    private void putUpToTheLock() {
        HttpRequest request = INSTANCES
                .get(0)
                .runtime
                .request("/fhir/Patient/" + run)
                .header("Content-Type", "application/fhir+json")
                .header("X-Correlation-Id", run)
                .timeout(Duration.ofMinutes(1))
                .PUT(HttpRequest.BodyPublishers.ofString(
                        """
                        {"resourceType": "Patient", "id": "%s", "active": true}"""
                                .formatted(run)))
                .build();
        CompletableFuture<HttpResponse<String>> answer = http.sendAsync(request, HttpResponse.BodyHandlers.ofString());
        awaitWaitingForLock(
                Clients.fhirDatabase(servers), () -> assertThat(answer).isNotDone());
    }

    private static Connection locked(DataSource database, String sql) throws SQLException {
        Connection connection = database.getConnection();
        connection.setAutoCommit(false);
        connection.createStatement().execute(sql);
        return connection;
    }

    /** Waits until another session of the same user waits for a lock. */
    private static void awaitWaitingForLock(DataSource database, ThrowingRunnable meanwhile) {
        JdbcTemplate jdbc = new JdbcTemplate(database);
        Patience.await()
                .pollInterval(Duration.ofMillis(20))
                .failFast(meanwhile::run)
                .until(() -> jdbc.queryForObject(
                                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
                                Integer.class)
                        > 0);
    }

    private static void killOne() throws InterruptedException {
        INSTANCES.remove(RANDOM.nextInt(INSTANCES.size())).kill();
    }

    private static void killFirst() throws InterruptedException {
        INSTANCES.remove(0).kill();
    }
}
