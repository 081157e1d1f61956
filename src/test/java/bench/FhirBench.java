package bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.impl.client.CloseableHttpClient;
import routes.platform.Json;
import sandbox.Servers;
import sandbox.Tokens;

/**
 * Sends FHIR requests to the FHIR server directly and through the facade of the runtime in turn, round by round, and
 * also through a bare proxy. It prints the latencies, and the CPU of each process. A round counts when the server has a
 * resource, and the runtime a finished intent and an outcome, for each write.
 *
 * <p>At the end it streams transactions of 200 entries, and prints the live heap of the runtime after each tenth.
 *
 * <p>Arguments: {@code rounds=5 warm-ups=4000 requests=400 stream=100 loads=…;… sides=…,… runtime=<property>=<value>,…
 * jvm=<option>,… jfr=<side>}
 */
public final class FhirBench {

    private static final int CLIENTS = 8;
    private static final int FAMILIES = 5;
    private static final int STREAM_ENTRIES = 200;
    private static final int STREAM_CLIENTS = 4;
    private static final int TENTHS = 10;

    private static final String DIRECT = "direct";
    private static final String FACADE = "facade";
    private static final String PROXY = "bare proxy";

    /** Shows by how much two equal sides differ. */
    private static final String AGAIN = "direct again";

    private static final List<String> SIDES = List.of(DIRECT, PROXY, FACADE, AGAIN);
    private static final List<String> PROFILED = List.of(PROXY, FACADE);

    private final Arguments arguments;
    private final List<FhirLoad> loads;
    private final List<String> sides;
    private final int warmUps;
    private final int rounds;
    private final int stream;
    private final Map<FhirLoad, Map<String, List<Figures>>> results = new LinkedHashMap<>();
    private final Map<String, Integer> counted = new HashMap<>();
    private final List<Double> idle = new ArrayList<>();
    private final List<Long> heap = new ArrayList<>();
    private final List<String> patients = new ArrayList<>();
    private final CloseableHttpClient http = FhirLoad.http(CLIENTS);

    private Map<String, String> servers;
    private final Map<String, SideProcess> processes = new LinkedHashMap<>();
    private final Map<String, FhirLoad.Target> targets = new HashMap<>();
    private long server;
    private long postgres;

    /** @param cpu milliseconds of the side's own process, the FHIR server and PostgreSQL per request */
    private record Figures(Clients.Latencies latencies, double[] cpu) {

        double median() {
            return latencies.millis(50);
        }

        double p90() {
            return latencies.millis(90);
        }

        double p99() {
            return latencies.millis(99);
        }

        double perSecond() {
            return latencies.perSecond();
        }

        double ownCpu() {
            return cpu[0];
        }

        double serverCpu() {
            return cpu[1];
        }

        double postgresCpu() {
            return cpu[2];
        }
    }

    /**
     * What the writes have left.
     *
     * @param resources on the FHIR server
     * @param intents of the runtime that are done
     * @param outcomes of the runtime
     */
    private record Left(long resources, long intents, long outcomes) {}

    /** @throws IllegalArgumentException for an unknown name */
    FhirBench(String... arguments) {
        this.arguments = new Arguments(
                arguments, "rounds", "warm-ups", "requests", "stream", "loads", "sides", "runtime", "jvm", "jfr");
        loads = loads();
        sides = this.arguments.chosen("sides", ",", SIDES);
        warmUps = this.arguments.number("warm-ups", 4000);
        rounds = this.arguments.number("rounds", 5);
        stream = this.arguments.number("stream", 100);
        // refuse wrong arguments before the servers start
        this.arguments.runtime();
        this.arguments.jvmOptions("", PROFILED);
    }

    public static void main(String[] args) throws Exception {
        FhirBench fhir = new FhirBench(args);
        fhir.run(Servers.shared());
        fhir.print();
        System.exit(0);
    }

    private List<FhirLoad> loads() {
        int requests = arguments.number("requests", 400);
        List<FhirLoad> all = Stream.of(FhirLoad.Kind.values())
                .flatMap(kind -> Stream.of(1, CLIENTS).map(clients -> FhirLoad.share(kind, clients, requests)))
                .toList();
        List<String> wanted =
                arguments.chosen("loads", ";", all.stream().map(FhirLoad::name).toList());
        return all.stream().filter(load -> wanted.contains(load.name())).toList();
    }

    /** @return how many requests were counted, by side, warm-ups included */
    Map<String, Integer> run(Servers on) throws Exception {
        servers = on.properties();
        FhirLoad.Target direct = new FhirLoad.Target(URI.create(on.fhirServer().address()), null);
        targets.put(DIRECT, direct);
        targets.put(AGAIN, direct);
        server = on.fhirServer().pid();
        postgres = on.postgres().pid();
        try (Connection connection = ProjectionTable.connect(servers)) {
            start();
            createPatients();
            for (FhirLoad.Kind kind : warmUps == 0 ? new FhirLoad.Kind[0] : FhirLoad.Kind.values()) {
                for (String side : processes.keySet()) {
                    show(-1, FhirLoad.share(kind, CLIENTS, warmUps), side, connection);
                }
            }
            List<String> order = new ArrayList<>(sides);
            for (int round = 0; round < rounds; round++) {
                authorize();
                compareAnswers();
                rest();
                for (FhirLoad load : loads) {
                    for (String side : order) {
                        show(round, load, side, connection);
                    }
                }
                Collections.rotate(order, 1);
            }
            stream(connection);
        } finally {
            processes.values().forEach(SideProcess::close);
            http.close();
        }
        return counted;
    }

    private void start() throws Exception {
        processes.put(FACADE, HttpSides.start(FACADE, PROFILED, CommandRoutes.class, servers, arguments));
        HttpSides.awaitReady(processes.get(FACADE));
        if (sides.contains(PROXY)) {
            SideProcess proxy = HttpSides.start(PROXY, PROFILED, BareProxy.class, servers, arguments);
            processes.put(PROXY, proxy);
            HttpSides.await(proxy, "it listens", () -> HttpSides.ports(proxy).size() == 1);
        }
        authorize();
    }

    /** Fetches a token, which is valid for an hour. */
    private void authorize() throws Exception {
        String token = new Tokens(servers.get("spring.security.oauth2.resourceserver.jwt.issuer-uri")).sandbox();
        for (Map.Entry<String, SideProcess> side : processes.entrySet()) {
            String port = HttpSides.ports(side.getValue()).get(0);
            URI base = URI.create("http://127.0.0.1:%s/fhir".formatted(port));
            targets.put(side.getKey(), new FhirLoad.Target(base, token));
        }
    }

    /** Returns the CPU of a side's own process, the FHIR server and PostgreSQL, in nanoseconds. */
    private double[] cpu(String side) {
        return new double[] {
            processes.containsKey(side) ? processes.get(side).cpu().toNanos() : 0,
            ProcessHandle.of(server).map(FhirBench::cpu).orElse(0L),
            // of the connections that live
            ProcessHandle.of(postgres).stream()
                    .flatMap(ProcessHandle::descendants)
                    .mapToLong(FhirBench::cpu)
                    .sum()
        };
    }

    private static long cpu(ProcessHandle process) {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    }

    private void createPatients() throws IOException {
        for (int family = 0; family < FAMILIES; family++) {
            for (int i = 0; i < FhirLoad.FAMILY; i++) {
                String patient = FhirLoad.patient(FhirLoad.family(family), family * FhirLoad.FAMILY + i);
                byte[] answer = FhirLoad.answer(
                        http, target(DIRECT), FhirLoad.post(target(DIRECT).base() + "/Patient", patient));
                patients.add(Json.readObject(answer).path("id").asText());
            }
        }
    }

    /** Checks that server and facade answer the same to a read and a search, and that no link leads past the facade. */
    private void compareAnswers() throws IOException {
        FhirLoad read = new FhirLoad(FhirLoad.Kind.READ, 1, 1);
        FhirLoad search = new FhirLoad(FhirLoad.Kind.SEARCH, 1, 1);
        String page = answer(search, FACADE);
        if (!answer(read, FACADE).equals(answer(read, DIRECT))
                || !ids(page).equals(ids(answer(search, DIRECT)))
                || ids(page).size() != FhirLoad.PAGE
                || page.contains(target(DIRECT).base().getAuthority())) {
            throw new IllegalStateException("the answers of server and facade differ");
        }
    }

    private String answer(FhirLoad load, String side) throws IOException {
        return new String(load.sendOne(http, target(side), patients), StandardCharsets.UTF_8);
    }

    private FhirLoad.Target target(String side) {
        return targets.get(side);
    }

    private static List<String> ids(String bundle) {
        JsonNode entries =
                Json.readObject(bundle.getBytes(StandardCharsets.UTF_8)).path("entry");
        return StreamSupport.stream(entries.spliterator(), false)
                .map(entry -> entry.path("resource").path("id").asText())
                .toList();
    }

    /** Measures the CPU of the idle runtime. */
    private void rest() throws Exception {
        double before = cpu(FACADE)[0];
        TimeUnit.SECONDS.sleep(3);
        idle.add((cpu(FACADE)[0] - before) / 3e6);
    }

    private void show(int round, FhirLoad load, String side, Connection connection) throws Exception {
        Figures figures = run(load, side, connection);
        System.out.printf(
                "round %2d  %-23s %-13s median %7.2f ms  p90 %7.2f ms  p99 %7.2f ms  %5.0f/s  CPU %5.2f, %5.2f, %5.2f ms%n",
                round,
                load.name(),
                side,
                figures.median(),
                figures.p90(),
                figures.p99(),
                figures.perSecond(),
                figures.ownCpu(),
                figures.serverCpu(),
                figures.postgresCpu());
        if (round >= 0) {
            results.computeIfAbsent(load, l -> new LinkedHashMap<>())
                    .computeIfAbsent(side, name -> new ArrayList<>())
                    .add(figures);
        }
    }

    private Figures run(FhirLoad load, String side, Connection connection) throws Exception {
        Left before = left(connection);
        double[] cpu = cpu(side);
        Clients.Latencies latencies = load.send(http, target(side), patients);
        double[] after = cpu(side);
        for (int i = 0; i < cpu.length; i++) {
            cpu[i] = (after[i] - cpu[i]) / 1e6 / load.count();
        }
        boolean noted = side.equals(FACADE) && load.kind().isWrite();
        checkWrites(before, connection, load.count(), load.kind().resources(), noted);
        counted.merge(side, load.count(), Integer::sum);
        return new Figures(latencies, cpu);
    }

    private void checkWrites(Left before, Connection connection, int count, int each, boolean noted) throws Exception {
        Left after = left(connection);
        Left expected = new Left(
                before.resources() + (long) count * each,
                before.intents() + (noted ? count : 0),
                before.outcomes() + (noted ? (long) count * each : 0));
        if (!after.equals(expected)) {
            throw new IllegalStateException("%s instead of %s".formatted(after, expected));
        }
    }

    private Left left(Connection connection) throws IOException, SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        """
                        select (select count(*) from fhir_intent where state = 'DONE'),
                               (select count(*) from fhir_outcome where confirmed)""")) {
            rows.next();
            return new Left(resources("Patient") + resources("Observation"), rows.getLong(1), rows.getLong(2));
        }
    }

    private long resources(String type) throws IOException {
        HttpGet count = new HttpGet(target(DIRECT).base() + "/" + type + "?_summary=count");
        return Json.readObject(FhirLoad.answer(http, target(DIRECT), count))
                .path("total")
                .asLong();
    }

    /** Sends transactions of 200 entries through the facade. */
    private void stream(Connection connection) throws Exception {
        for (int tenth = 0; tenth < TENTHS && stream > 0; tenth++) {
            Left before = left(connection);
            int count = Math.max(1, stream / TENTHS);
            Clients.send(
                    STREAM_CLIENTS,
                    0,
                    count,
                    i -> FhirLoad.answer(
                            http,
                            target(FACADE),
                            FhirLoad.post(
                                    target(FACADE).base().toString(), FhirLoad.transaction(i, STREAM_ENTRIES - 1))));
            checkWrites(before, connection, count, STREAM_ENTRIES, true);
            counted.merge(FACADE, count, Integer::sum);
            heap.add(processes.get(FACADE).liveHeapMegabytes());
        }
    }

    private void print() {
        System.out.printf(
                "%n| request | side | median, ms | p90, ms | p99, ms | requests/s | CPU of the side, ms per request | of the server | of PostgreSQL | median / direct | p90 / direct | p99 / direct |%n|---|---|---|---|---|---|---|---|---|---|---|---|%n");
        results.forEach((load, bySide) -> bySide.forEach((side, figures) -> System.out.printf(
                "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |%n",
                load.name(),
                side,
                Medians.spread(figures, Figures::median, 1),
                Medians.spread(figures, Figures::p90, 1),
                Medians.spread(figures, Figures::p99, 1),
                Medians.spread(figures, Figures::perSecond, 0),
                processes.containsKey(side) ? Medians.spread(figures, Figures::ownCpu, 2) : "-",
                Medians.spread(figures, Figures::serverCpu, 2),
                Medians.spread(figures, Figures::postgresCpu, 2),
                bySide.containsKey(DIRECT) ? ratios(figures, bySide.get(DIRECT)) : "- | - | -")));
        System.out.printf(
                "%nThe runtime with nothing to do: %.0f ms CPU a second%nHeap after each tenth of %d transactions of %d entries, MB: %s%n",
                Medians.median(idle.stream().mapToDouble(millis -> millis)), stream, STREAM_ENTRIES, heap);
    }

    private static String ratios(List<Figures> of, List<Figures> to) {
        return Stream.<ToDoubleFunction<Figures>>of(Figures::median, Figures::p90, Figures::p99)
                .map(figure -> "%.2f".formatted(Medians.ratio(of, to, figure)))
                .reduce((a, b) -> a + " | " + b)
                .orElseThrow();
    }
}
