package bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.common.TopicPartition;
import sandbox.Servers;

/**
 * Runs the sides in turn, round by round, each on a topic of its own, and prints medians. A round counts once its
 * records have been read back: none lost, none twice, each key in order, all offsets committed. A peer's failed checks
 * stand below its figures; a failed check of ours fails the bench.
 *
 * <p>Arguments: {@code rounds=5 warm-ups=3 records=200000 few=20000
 * workloads=many,poison,hot,projection,patients,outbox sides=raw,yaml,… runtime=<property>=<value>,… jvm=<option>,…
 * jfr=<side>}
 */
public final class Bench {

    static final List<String> WORKLOADS = List.of("many", "poison", "hot", "projection", "patients", "outbox");

    private static final String GROUP = "bench";

    /** Time limit without progress. */
    private static final long TIMEOUT_NANOS = 120_000_000_000L;

    private final Arguments arguments;
    private final List<String> wanted;
    private final List<String> names;
    private final int records;
    private final int few;
    private final int warmUps;
    private final int rounds;
    private final Results results = new Results();

    private Map<String, String> servers;
    private String brokers;
    private Broker broker;

    /** @throws IllegalArgumentException for an unknown name */
    Bench(String... arguments) {
        this.arguments = new Arguments(
                arguments, "rounds", "warm-ups", "records", "few", "workloads", "sides", "runtime", "jvm", "jfr");
        wanted = this.arguments.chosen("workloads", ",", WORKLOADS);
        List<String> all = SideCatalog.all().stream().map(SideSpec::name).toList();
        names = this.arguments.chosen("sides", ",", all);
        records = this.arguments.number("records", 200_000);
        few = this.arguments.number("few", 20_000);
        warmUps = this.arguments.number("warm-ups", 3);
        rounds = this.arguments.number("rounds", 5);
        // refuse wrong arguments before the servers start
        this.arguments.runtime();
        this.arguments.jvmOptions("", all);
        wanted.stream()
                .filter(workload -> SideCatalog.all().stream()
                        .noneMatch(side ->
                                names.contains(side.name()) && side.workloads().contains(workload)))
                .findFirst()
                .ifPresent(workload -> {
                    throw new IllegalArgumentException("no side takes part in " + workload);
                });
        SideCatalog.all().stream()
                .filter(side -> this.arguments.has("sides") && names.contains(side.name()))
                .filter(side -> Collections.disjoint(side.workloads(), wanted))
                .findFirst()
                .ifPresent(side -> {
                    throw new IllegalArgumentException(
                            "%s takes part only in %3$s, not in %2$s".formatted(side.name(), wanted, side.workloads()));
                });
    }

    public static void main(String[] args) throws Exception {
        Bench bench = new Bench(args);
        bench.run(Servers.shared()).print(bench.wanted, System.out);
        System.exit(0);
    }

    Results run(Servers on) throws Exception {
        servers = on.properties();
        brokers = servers.get("camel.component.kafka.brokers");
        try (Broker there = new Broker(brokers)) {
            broker = there;
            return rounds(fill());
        }
    }

    private Results rounds(Map<String, Workload> workloads) throws Exception {
        List<SideProcess> sides = new SideCatalog(arguments, servers)
                .start(SideCatalog.all().stream()
                        .filter(side -> names.contains(side.name()))
                        .filter(side -> !Collections.disjoint(side.workloads(), wanted))
                        .map(SideSpec::name)
                        .toList());
        sides.forEach(side -> results.started(side.name()));
        try {
            for (SideProcess side : sides) {
                side.awaitReady();
            }
            for (int round = -warmUps; round < rounds; round++) {
                for (String workload : wanted) {
                    for (SideProcess side : List.copyOf(sides)) {
                        if (side.spec().workloads().contains(workload)
                                && !run(workload, round, side, workloads.get(topic(workload, side)))) {
                            sides.remove(side);
                            side.close();
                        }
                    }
                    Collections.rotate(sides, 1);
                }
            }
        } finally {
            sides.forEach(SideProcess::close);
        }
        return results;
    }

    private Map<String, Workload> fill() throws Exception {
        Map<String, Workload> workloads = new HashMap<>();
        for (Workload workload : Workload.all(records, few)) {
            workloads.put(workload.topic(), workload);
            broker.create(workload.topic(), "CreateTime");
            broker.create(workload.topic() + ".dlq", "CreateTime");
            if (wanted.contains(workload.name())
                    || wanted.contains("projection") && workload.topic().equals("bench.many")) {
                workload.fill(brokers);
            }
        }
        if (wanted.contains("patients")) {
            for (Map.Entry<String, Integer> topic :
                    Map.of("bench.patients", records, "bench.patients-few", few).entrySet()) {
                broker.create(topic.getKey(), "CreateTime");
                PatientEvents.fill(servers, topic.getKey(), 0, topic.getValue());
            }
        }
        return workloads;
    }

    private static String topic(String workload, SideProcess side) {
        return workload.equals("projection")
                ? "bench.many"
                : "bench." + workload + (side.spec().isSlowOn(workload) ? "-few" : "");
    }

    /** @return whether the side can continue */
    private boolean run(String workload, int round, SideProcess side, Workload records) throws Exception {
        List<String> findings = new ArrayList<>();
        Results.Figures figures =
                switch (workload) {
                    case "projection" -> projectionRound(side, records);
                    case "patients" -> patientsRound(side);
                    case "outbox" -> outboxRound(side);
                    default -> round(side, records, findings);
                };
        if (!findings.isEmpty() && !side.spec().peer()) {
            throw new IllegalStateException(
                    "%s, %s: %s, see %s".formatted(side.name(), workload, findings, side.log()));
        }
        findings.forEach(finding -> results.add(new Results.Finding(workload, side.name(), round, finding)));
        if (figures == null) {
            System.out.printf(
                    "round %2d  %-10s %-22s skipped from now on: %s%n", round, workload, side.name(), findings);
            return false;
        }
        System.out.printf(
                "round %2d  %-10s %-22s %6.1f us/record %8.0f records/s %s%n",
                round, workload, side.name(), figures.cpu(), figures.perSecond(), findings.isEmpty() ? "" : findings);
        if (round >= 0) {
            results.add(workload, side.name(), round, figures);
        }
        return true;
    }

    /** @return null when the side did not finish */
    private Results.Figures round(SideProcess side, Workload workload, List<String> findings) throws Exception {
        String sink = "bench.sink." + System.nanoTime();
        // the contract's group owns the dead letters of our sides; a peer may leave a member behind
        String group = side.spec().peer() ? sink : GROUP;
        broker.create(sink, "LogAppendTime");
        Map<TopicPartition, Long> from = broker.ends(List.of(sink, workload.topic() + ".dlq"));

        double before = side.cpu().toNanos();
        side.tell("start %s %s %s".formatted(workload.topic(), sink, group));
        boolean ended = reaches(side, workload.count(), "written", () -> broker.since(from), findings);
        double cpu = side.isAlive() ? (side.cpu().toNanos() - before) / 1e3 : 0;
        ended &= reaches(side, workload.count(), "committed", () -> broker.committed(group), findings);
        if (side.isAlive()) {
            side.tell("stop");
            ended &= reaches(side, 1, "left the group", () -> broker.deleteGroup(group) ? 1L : 0L, findings);
        }
        Workload.Outcome outcome =
                workload.verify(brokers, sink, from, broker.ends(List.of(sink, workload.topic() + ".dlq")));
        findings.addAll(outcome.findings());
        broker.delete(sink);
        return ended
                ? new Results.Figures(
                        cpu / workload.count(), 1e3 * (workload.count() - workload.poisoned()) / outcome.millis())
                : null;
    }

    private Results.Figures projectionRound(SideProcess side, Workload workload) throws Exception {
        String table = "bench_" + System.nanoTime();
        try (Connection connection = ProjectionTable.connect(servers)) {
            ProjectionTable.create(connection, table);
            double before = side.cpu().toNanos();
            side.tell("start %s %s %s".formatted(workload.topic(), table, GROUP));
            await(side, workload.count(), "committed", () -> broker.committed(GROUP));
            double cpu = (side.cpu().toNanos() - before) / 1e3;
            side.tell("stop");
            await(side, 1, "left the group", () -> broker.deleteGroup(GROUP) ? 1L : 0L);
            long millis = ProjectionTable.verify(connection, table, workload.count());
            return new Results.Figures(cpu / workload.count(), 1e3 * workload.count() / millis);
        }
    }

    private Results.Figures patientsRound(SideProcess side) throws Exception {
        int count = side.spec().isSlowOn("patients") ? few : records;
        try (Connection connection = DriverManager.getConnection(
                servers.get("spring.datasource.url") + SideCatalog.PATIENTS_SCHEMA,
                servers.get("spring.datasource.username"),
                servers.get("spring.datasource.password"))) {
            await(side, 1, "made its tables", () -> PatientEvents.empty(connection) ? 1L : 0L);
            double before = side.cpu().toNanos();
            side.tell("start %s none %s".formatted(topic("patients", side), GROUP));
            await(side, count, "committed", () -> broker.committed(GROUP));
            double cpu = (side.cpu().toNanos() - before) / 1e3;
            side.tell("stop");
            await(side, 1, "left the group", () -> broker.deleteGroup(GROUP) ? 1L : 0L);
            return new Results.Figures(cpu / count, 1e3 * count / PatientEvents.verify(connection, count));
        }
    }

    private Results.Figures outboxRound(SideProcess side) throws Exception {
        String sink = "bench.sink." + System.nanoTime();
        broker.create(sink, "LogAppendTime");
        try (Connection connection = ProjectionTable.connect(servers)) {
            await(side, 1, "has the outbox to itself", () -> OutboxRows.isFree(connection) ? 1L : 0L);
            OutboxRows.fill(connection, sink, records);
            double before = side.cpu().toNanos();
            side.tell("start outbox %s none".formatted(sink));
            await(side, 1, "sent all rows", () -> OutboxRows.sent(connection) ? 1L : 0L);
            double cpu = (side.cpu().toNanos() - before) / 1e3;
            side.tell("stop");
            long millis = OutboxRows.verify(brokers, broker.ends(List.of(sink)), records);
            broker.delete(sink);
            return new Results.Figures(cpu / records, 1e3 * records / millis);
        }
    }

    /** @throws IllegalStateException when the count does not reach the goal */
    private static void await(SideProcess side, long goal, String what, Callable<Long> count) throws Exception {
        List<String> findings = new ArrayList<>();
        if (!reaches(side, goal, what, count, findings)) {
            throw new IllegalStateException("%s: %s, see %s".formatted(side.name(), findings, side.log()));
        }
    }

    /** Waits while the side lives and the count grows. Adds a finding when the count misses or passes the goal. */
    private static boolean reaches(
            SideProcess side, long goal, String what, Callable<Long> count, List<String> findings) throws Exception {
        long reached = 0;
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (reached < goal && System.nanoTime() < deadline && side.isAlive()) {
            long now = count.call();
            if (now > reached) {
                reached = now;
                deadline = System.nanoTime() + TIMEOUT_NANOS;
            }
            if (now < goal) {
                Thread.sleep(20);
            }
        }
        if (reached != goal) {
            findings.add(
                    "%s: %d of %d%s".formatted(what, reached, goal, side.isAlive() ? "" : ", then the process ended"));
        }
        return reached >= goal;
    }
}
