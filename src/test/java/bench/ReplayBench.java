package bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import routes.EventBroker;
import routes.RunningImage;
import routes.platform.Json;
import sandbox.Servers;

/**
 * Rebuilds the patient view while its log grows from 10,000 events to 1,000,000, in a heap of 256 MB. It also requests
 * patients as of an instant. It prints durations, and the live heap after each tenth. A rebuild counts when it finds no
 * difference.
 *
 * <p>Arguments: {@code sizes=10000,100000,1000000 rebuilds=3 warm-ups=5 queries=1000}
 */
public final class ReplayBench {

    private static final String TOPIC = "patient.events";
    private static final String STATUS = "/api/projections/patient-view";

    private final List<Integer> sizes;
    private final int rebuilds;
    private final int warmUps;
    private final int queries;

    private Servers servers;
    private int events;
    private double seconds;

    /** @throws IllegalArgumentException for an unknown name */
    ReplayBench(String... arguments) {
        Arguments read = new Arguments(arguments, "sizes", "rebuilds", "warm-ups", "queries");
        sizes = read.numbers("sizes", "10000,100000,1000000");
        rebuilds = read.number("rebuilds", 3);
        warmUps = read.number("warm-ups", 5);
        queries = read.number("queries", 1000);
    }

    public static void main(String[] args) throws Exception {
        ReplayBench replay = new ReplayBench(args);
        List<String> rows = replay.run(Servers.shared());
        System.out.printf(
                "%n| events | rebuilt in, s, median (min - max) | added events, events/s | heap after each tenth, MB | as of an instant, us, median (p95) |%n|---|---|---|---|---|%n");
        rows.forEach(System.out::println);
        System.exit(0);
    }

    /** @return a row of the table for each size */
    List<String> run(Servers on) throws Exception {
        servers = on;
        List<String> rows = new ArrayList<>();
        try (Instance instance = new Instance()) {
            instance.runtime.awaitReady();
            for (int size : sizes) {
                rows.add(run(instance, size));
            }
        }
        return rows;
    }

    private String run(Instance instance, int count) throws Exception {
        Map<String, String> properties = servers.properties();
        PatientEvents.fill(properties, TOPIC, events, count - events);
        try (Connection connection = DriverManager.getConnection(
                properties.get("spring.datasource.url"),
                properties.get("spring.datasource.username"),
                properties.get("spring.datasource.password"))) {
            await(() -> {
                long projected = rows(connection);
                System.err.printf("%,d of %,d are in the view%n", projected, count);
                return projected == count && instance.status().path("lag").asLong() == 0;
            });
        }
        for (int i = 0; i < warmUps && events == 0; i++) {
            rebuild(instance, count, null);
        }
        List<Long> heap = new ArrayList<>();
        double[] sorted = new double[rebuilds];
        for (int i = 0; i < rebuilds; i++) {
            sorted[i] = rebuild(instance, count, i == rebuilds - 1 ? heap : null);
        }
        Arrays.sort(sorted);
        long[] asOf = asOf(instance, count);
        double median = sorted[sorted.length / 2];
        String row = "| %,d | %.2f (%.2f - %.2f) | %,.0f | %s | %d (%d) |"
                .formatted(
                        count,
                        median,
                        sorted[0],
                        sorted[sorted.length - 1],
                        (count - events) / (median - seconds),
                        heap,
                        asOf[queries / 2],
                        asOf[queries * 95 / 100]);
        events = count;
        seconds = median;
        return row;
    }

    /** @return seconds from the request to the exchange of the tables */
    private static double rebuild(Instance instance, int count, List<Long> heap) throws Exception {
        long began = System.nanoTime();
        long collecting = 0;
        HttpResponse<String> order = instance.runtime.post(STATUS + "/rebuild", "application/json", "");
        if (order.statusCode() != 202) {
            throw new IllegalStateException(order.body());
        }
        JsonNode status;
        int polls = 0;
        do {
            TimeUnit.MILLISECONDS.sleep(20);
            status = instance.status();
            if (++polls % 250 == 0) {
                System.err.println(status);
            }
            if (heap != null && status.path("eventsDone").asLong() >= count / 10 * (heap.size() + 1L)) {
                long before = System.nanoTime();
                heap.add(instance.runtime.heapMegabytes());
                collecting += System.nanoTime() - before;
            }
        } while (status.path("state").asText().equals("REBUILDING"));
        double took = (System.nanoTime() - began - collecting) / 1e9;
        if (!status.path("state").asText().equals("LIVE")
                || status.path("differences").asInt(-1) != 0
                || status.path("eventsDone").asLong() != count) {
            throw new IllegalStateException(status.toString());
        }
        return took;
    }

    /** @return microseconds, sorted, of requests for random patients after half of their events */
    private long[] asOf(Instance instance, int count) {
        Random random = new Random(4711);
        Instant half = Instant.ofEpochMilli(PatientEvents.BEGAN + PatientEvents.EVENTS_EACH / 2 * PatientEvents.PACE);
        long[] micros = new long[queries];
        for (int warm = 0; warm < 2; warm++) {
            for (int i = 0; i < queries; i++) {
                String id = PatientEvents.id(random.nextInt(count / PatientEvents.EVENTS_EACH));
                long before = System.nanoTime();
                HttpResponse<String> answer = instance.runtime.get("/api/patients/" + id + "?asOf=" + half);
                micros[i] = (System.nanoTime() - before) / 1000;
                if (answer.statusCode() != 200 || !answer.body().contains("555-")) {
                    throw new IllegalStateException(answer.body());
                }
            }
        }
        Arrays.sort(micros);
        return micros;
    }

    private static long rows(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                var result = statement.executeQuery("select count(*) from patient_event")) {
            result.next();
            return result.getLong(1);
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("timed out");
            }
            TimeUnit.MILLISECONDS.sleep(500);
        }
    }

    /** Runs the runtime as shipped in a process. */
    private final class Instance implements AutoCloseable {

        private final RunningImage runtime;

        Instance() throws IOException {
            Path directory = Files.createDirectories(Path.of("target", "bench", "replay"));
            ProcessBuilder builder = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx256m",
                            "-XX:+UseSerialGC",
                            EventBroker.class.getName())
                    .redirectOutput(directory.resolve("stdout").toFile())
                    .redirectError(directory.resolve("stderr").toFile());
            Map<String, String> environment = builder.environment();
            environment.put("CLASSPATH", System.getProperty("java.class.path"));
            environment.putAll(RunningImage.environment(servers));
            environment.put("EVENT_BROKER_PUBSUB_ENABLED", "false");
            environment.put("EVENT_BROKER_DEADLETTER_ENABLED", "false");
            runtime = new RunningImage(builder.start(), directory, environment);
        }

        JsonNode status() {
            return Json.readObject(runtime.get(STATUS).body().getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public void close() {
            runtime.close();
        }
    }
}
