package bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.opentest4j.TestAbortedException;
import routes.NodeClients;
import sandbox.Servers;
import sandbox.Topics;

/**
 * Runs the sides in turn, round by round, each on a topic of its own, and prints medians. A round's figures count only after its
 * records have been read back: none lost, none twice, each key in order, all offsets committed.
 *
 * <p>Arguments: {@code rounds=5 warm-ups=3 records=200000 few=20000 workloads=many,poison,hot,projection,patients,outbox sides=raw,yaml,… jfr=<side>}
 */
public final class Bench {

    private static final int PARTITIONS = 6;
    private static final String RAW = "raw";
    private static final String YAML = "yaml route";
    private static final String PROJECTION = "projection";
    private static final String RAW_PROJECTION = "raw JDBC batch";
    private static final String YAML_PROJECTION = "yaml batch route";
    private static final String PATIENTS = "patients";
    private static final String RAW_PATIENTS = "raw patient batch";
    private static final String ROW_BY_ROW = "raw row by row";
    private static final String YAML_PATIENTS = "yaml patient view";
    private static final String OUTBOX = "outbox";
    private static final String RAW_OUTBOX = "raw outbox loop";
    private static final String RELAY = "outbox relay";
    /** Which sides take part in a workload of their own; the first is the one that the others are compared to. */
    private static final Map<String, List<String>> OWN_SIDES = Map.of(
            PROJECTION, List.of(RAW_PROJECTION, YAML_PROJECTION),
            PATIENTS, List.of(RAW_PATIENTS, YAML_PATIENTS, ROW_BY_ROW),
            OUTBOX, List.of(RAW_OUTBOX, RELAY));

    /** Tables of their own, which the runtime makes there. */
    private static final String PATIENTS_SCHEMA = "?currentSchema=bench_patients";

    private static final long TIMEOUT_NANOS = 300_000_000_000L;

    private final Map<String, String> options;
    private final Map<String, String> servers;
    private final String brokers;
    private final Admin admin;
    private final Map<String, Map<String, List<Figures>>> results = new LinkedHashMap<>();

    /** @param cpu microseconds of the side's process per record */
    private record Figures(double cpu, double perSecond) {}

    private Bench(Map<String, String> options, Map<String, String> servers) {
        this.options = options;
        this.servers = servers;
        brokers = servers.get("camel.component.kafka.brokers");
        admin = Admin.create(Map.of("bootstrap.servers", brokers));
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> options = Arrays.stream(args)
                .map(argument -> argument.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        Bench bench = new Bench(options, Servers.shared().properties());
        bench.run();
        System.exit(0);
    }

    private int number(String option, int otherwise) {
        return Integer.parseInt(options.getOrDefault(option, String.valueOf(otherwise)));
    }

    private void run() throws Exception {
        List<String> wanted = List.of(options.getOrDefault("workloads", "many,poison,hot,projection,patients,outbox")
                .split(","));
        Map<String, Workload> workloads = new HashMap<>();
        for (Workload workload : Workload.all(number("records", 200_000), number("few", 20_000))) {
            workloads.put(workload.topic(), workload);
            create(workload.topic(), "CreateTime");
            create(workload.topic() + ".dlq", "CreateTime");
            if (wanted.contains(workload.name()) || workload.topic().equals("bench.many")) {
                workload.fill(brokers);
            }
        }
        if (wanted.contains(PATIENTS)) {
            for (Map.Entry<String, Integer> topic : Map.of(
                            "bench.patients", number("records", 200_000), "bench.patients-few", number("few", 20_000))
                    .entrySet()) {
                create(topic.getKey(), "CreateTime");
                Patients.fill(servers, topic.getKey(), 0, topic.getValue());
            }
        }
        List<Side> sides = sides();
        try {
            int warmUps = number("warm-ups", 3);
            for (int round = -warmUps; round < number("rounds", 5); round++) {
                for (String name : wanted) {
                    for (Side side : sides) {
                        if (!takesPart(side.name(), name)) {
                            continue;
                        }
                        Workload workload = workloads.get("bench." + name + (side.isSlowOn(name) ? "-few" : ""));
                        Figures figures =
                                switch (name) {
                                    case PROJECTION -> projectionRound(side, workloads.get("bench.many"));
                                    case PATIENTS -> patientsRound(side);
                                    case OUTBOX -> outboxRound(side, number("records", 200_000));
                                    default -> round(side, workload);
                                };
                        System.out.printf(
                                "round %2d  %-7s %-20s %6.1f us/record %8.0f records/s%n",
                                round, name, side.name(), figures.cpu, figures.perSecond);
                        if (round >= 0) {
                            results.computeIfAbsent(name, n -> new LinkedHashMap<>())
                                    .computeIfAbsent(side.name(), n -> new ArrayList<>())
                                    .add(figures);
                        }
                    }
                    Collections.rotate(sides, 1);
                }
            }
        } finally {
            sides.forEach(Side::close);
        }
        results.forEach(this::print);
    }

    private List<Side> sides() throws IOException {
        List<String> runtime = new ArrayList<>();
        servers.forEach((name, value) -> runtime.add("--" + name + "=" + value));
        runtime.addAll(List.of(
                "--server.port=0",
                "--management.server.port=0",
                "--server.address=127.0.0.1",
                "--management.server.address=127.0.0.1",
                // as all sides
                "--camel.component.kafka.compression-codec=none",
                // the routes of the patterns, which read what the bench writes
                "--event-broker.pubsub.enabled=false",
                "--event-broker.eventsourcing.enabled=false",
                "--event-broker.deadletter.enabled=false"));
        Stream.of(options.getOrDefault("runtime", "").split(","))
                .filter(option -> !option.isEmpty())
                .forEach(option -> runtime.add("--" + option));
        List<Side> sides = new ArrayList<>();
        java(sides, RAW, Set.of(), RawLoop.class, List.of(brokers));
        java(sides, "raw again", Set.of(), RawLoop.class, List.of(brokers));
        java(sides, YAML, Set.of("hot"), YamlRoute.class, with("bench/transform.camel.yaml", runtime));
        java(sides, RAW_PROJECTION, Set.of(), RawProjection.class, runtime);
        java(sides, YAML_PROJECTION, Set.of(), YamlRoute.class, with("bench/projection.camel.yaml", runtime));
        List<String> ownSchema = runtime.stream()
                .map(option -> option.startsWith("--spring.datasource.url=") ? option + PATIENTS_SCHEMA : option)
                .toList();
        java(sides, YAML_PATIENTS, Set.of(), YamlRoute.class, with("bench/patients.camel.yaml", ownSchema));
        java(sides, RAW_PATIENTS, Set.of(), RawPatientView.class, with("batch", ownSchema));
        java(sides, ROW_BY_ROW, Set.of(PATIENTS), RawPatientView.class, with("row-by-row", ownSchema));
        java(sides, RAW_OUTBOX, Set.of(), RawOutbox.class, runtime);
        java(sides, RELAY, Set.of(), RelayedOutbox.class, runtime);
        java(sides, "stock camel-kafka", Set.of("all"), StockCamel.class, List.of(brokers));
        try {
            NodeClients.install();
            node(sides, "kafkajs eachBatch", Set.of(), "eachBatch");
            node(sides, "kafkajs eachMessage", Set.of("all"), "eachMessage");
        } catch (TestAbortedException e) {
            System.out.println("kafkajs: " + e.getMessage());
        }
        return sides;
    }

    private static List<String> with(String file, List<String> options) {
        return Stream.concat(Stream.of(file), options.stream()).toList();
    }

    private static boolean takesPart(String side, String workload) {
        return OWN_SIDES.containsKey(workload)
                ? OWN_SIDES.get(workload).contains(side)
                : OWN_SIDES.values().stream().noneMatch(own -> own.contains(side));
    }

    private boolean isWanted(String side) {
        String wanted = options.get("sides");
        return wanted == null || List.of(wanted.split(",")).contains(side);
    }

    private void java(List<Side> sides, String name, Set<String> slowOn, Class<?> main, List<String> arguments)
            throws IOException {
        if (isWanted(name)) {
            List<String> jvm = name.equals(options.get("jfr"))
                    ? List.of(
                            "-XX:StartFlightRecording=settings=profile,filename=target/bench/profile.jfr",
                            "-XX:FlightRecorderOptions=stackdepth=256")
                    : List.of();
            sides.add(Side.java(name, slowOn, jvm, main, arguments));
        }
    }

    private void node(List<Side> sides, String name, Set<String> slowOn, String mode) throws IOException {
        if (isWanted(name)) {
            sides.add(Side.node(name, slowOn, Path.of("target", "node"), List.of("--broker", brokers, "--mode", mode)));
        }
    }

    private Figures round(Side side, Workload workload) throws Exception {
        String sink = "bench.sink." + System.nanoTime();
        create(sink, "LogAppendTime");
        Map<TopicPartition, Long> from = ends(List.of(sink, workload.topic() + ".dlq"));
        String group = "bench";

        double before = side.cpu().toNanos();
        side.tell("start %s %s %s".formatted(workload.topic(), sink, group));
        await(side, "the sink is full", () -> sum(ends(sinks(from))) - sum(from) >= workload.count());
        double cpu = (side.cpu().toNanos() - before) / 1e3;
        await(side, "all is committed", () -> committed(group) == workload.count());
        side.tell("stop");

        long millis = workload.verify(brokers, sink, from, ends(sinks(from)));
        await(side, "the group is empty", () -> delete(group));
        admin.deleteTopics(List.of(sink)).all().get();
        return new Figures(cpu / workload.count(), 1e3 * (workload.count() - workload.poisoned()) / millis);
    }

    private Figures projectionRound(Side side, Workload workload) throws Exception {
        String table = "bench_" + System.nanoTime();
        String group = "bench";
        try (Connection connection = Projection.connect(servers)) {
            Projection.create(connection, table);
            double before = side.cpu().toNanos();
            side.tell("start %s %s %s".formatted(workload.topic(), table, group));
            await(side, "all is committed", () -> committed(group) == workload.count());
            double cpu = (side.cpu().toNanos() - before) / 1e3;
            side.tell("stop");
            await(side, "the group is empty", () -> delete(group));
            long millis = Projection.verify(connection, table, workload.count());
            return new Figures(cpu / workload.count(), 1e3 * workload.count() / millis);
        }
    }

    private Figures patientsRound(Side side) throws Exception {
        boolean few = side.isSlowOn(PATIENTS);
        int count = few ? number("few", 20_000) : number("records", 200_000);
        String group = "bench";
        try (Connection connection = DriverManager.getConnection(
                servers.get("spring.datasource.url") + PATIENTS_SCHEMA,
                servers.get("spring.datasource.username"),
                servers.get("spring.datasource.password"))) {
            await(side, "the tables are there", () -> Patients.empty(connection));
            double before = side.cpu().toNanos();
            side.tell("start bench.patients%s none %s".formatted(few ? "-few" : "", group));
            await(side, "all is committed", () -> committed(group) == count);
            double cpu = (side.cpu().toNanos() - before) / 1e3;
            side.tell("stop");
            await(side, "the group is empty", () -> delete(group));
            return new Figures(cpu / count, 1e3 * count / Patients.verify(connection, count));
        }
    }

    private Figures outboxRound(Side side, int count) throws Exception {
        String sink = "bench.sink." + System.nanoTime();
        create(sink, "LogAppendTime");
        try (Connection connection = Projection.connect(servers)) {
            OutboxRows.fill(connection, sink, count);
            double before = side.cpu().toNanos();
            side.tell("start outbox %s none".formatted(sink));
            await(side, "all is sent", () -> OutboxRows.sent(connection));
            double cpu = (side.cpu().toNanos() - before) / 1e3;
            side.tell("stop");
            long millis = OutboxRows.verify(brokers, ends(List.of(sink)), count);
            admin.deleteTopics(List.of(sink)).all().get();
            return new Figures(cpu / count, 1e3 * count / millis);
        }
    }

    private void create(String topic, String timestamps) throws Exception {
        Topics.create(
                admin,
                List.of(new NewTopic(topic, PARTITIONS, (short) 1)
                        .configs(Map.of("message.timestamp.type", timestamps))));
    }

    private static Collection<String> sinks(Map<TopicPartition, Long> offsets) {
        return offsets.keySet().stream().map(TopicPartition::topic).collect(Collectors.toSet());
    }

    private Map<TopicPartition, Long> ends(Collection<String> topics) throws Exception {
        Map<TopicPartition, OffsetSpec> latest = topics.stream()
                .flatMap(topic ->
                        IntStream.range(0, PARTITIONS).mapToObj(partition -> new TopicPartition(topic, partition)))
                .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
        Map<TopicPartition, Long> ends = new HashMap<>();
        for (Map.Entry<TopicPartition, ListOffsetsResultInfo> end :
                admin.listOffsets(latest).all().get().entrySet()) {
            ends.put(end.getKey(), end.getValue().offset());
        }
        return ends;
    }

    private static long sum(Map<TopicPartition, Long> offsets) {
        return offsets.values().stream().mapToLong(offset -> offset).sum();
    }

    private long committed(String group) throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values().stream()
                .mapToLong(OffsetAndMetadata::offset)
                .sum();
    }

    private boolean delete(String group) throws Exception {
        try {
            admin.deleteConsumerGroups(List.of(group)).all().get();
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupNotEmptyException) {
                return false;
            }
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return true;
            }
            throw e;
        }
    }

    private static void await(Side side, String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (!condition.call()) {
            side.checkAlive();
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(side.name() + ": waited in vain until " + what + ", see " + side.log());
            }
            Thread.sleep(20);
        }
    }

    private void print(String workload, Map<String, List<Figures>> sides) {
        List<Figures> raw =
                sides.get(OWN_SIDES.getOrDefault(workload, List.of(RAW)).get(0));
        System.out.printf(
                "%n%s%n| side | CPU us/record, median (min - max) | CPU / raw | throughput / raw |%n|---|---|---|---|%n",
                workload);
        sides.keySet().stream().sorted().forEach(side -> {
            List<Figures> rounds = sides.get(side);
            double[] cpu = rounds.stream().mapToDouble(Figures::cpu).sorted().toArray();
            System.out.printf(
                    "| %s | %.1f (%.1f - %.1f) | %s | %s |%n",
                    side,
                    median(cpu),
                    cpu[0],
                    cpu[cpu.length - 1],
                    ratio(rounds, raw, false),
                    ratio(rounds, raw, true));
        });
        Optional.ofNullable(results.getOrDefault("many", Map.of()).get(YAML))
                .filter(clean -> workload.equals("poison"))
                .ifPresent(clean -> System.out.printf(
                        "with 1 %% poison / without: CPU %s, throughput %s%n",
                        ratio(sides.get(YAML), clean, false), ratio(sides.get(YAML), clean, true)));
    }

    /** The median of the ratios within each round. */
    private static String ratio(List<Figures> of, List<Figures> to, boolean throughput) {
        if (of == null || to == null) {
            return "-";
        }
        return "%.2f"
                .formatted(median(IntStream.range(0, of.size())
                        .mapToDouble(round -> throughput
                                ? of.get(round).perSecond / to.get(round).perSecond
                                : of.get(round).cpu / to.get(round).cpu)
                        .sorted()
                        .toArray()));
    }

    private static double median(double[] sorted) {
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
