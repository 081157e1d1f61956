package bench;

import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.TopicPartition;
import sandbox.Servers;
import sandbox.Tokens;
import sandbox.Topics;

/**
 * Sends commands over HTTP to the runtime and to a bare controller in turn, round by round. It prints how long callers
 * wait for the answer and for the effect. A round counts when every command has its row and its record, and at the
 * runtime its effects.
 *
 * <p>Arguments: {@code rounds=5 warm-ups=6000 rate=10 seconds=7 loads=…;… runtime=<property>=<value>,… jvm=<option>,…
 * jfr=<side>}
 */
public final class CommandBench {

    private static final int PARTITIONS = 6;
    private static final int CLIENTS = 8;
    private static final int MANY_CLIENTS = 128;
    private static final long TIMEOUT_NANOS = 120_000_000_000L;
    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

    private static final String RAW = "bare controller";
    private static final String YAML = "yaml routes";
    private static final List<String> SIDES = List.of(RAW, YAML);

    /** Counts the row and the effects of a command, in this order. */
    private static final String ROWS =
            """
            select (select count(*) from medication_command),
                   (select count(*) from medication_command where status = 'APPLIED'),
                   (select count(*) from prescription_view),
                   (select count(*) from pharmacy_order),
                   (select count(*) from outbox where sent_at is not null),
                   (select count(*) from activity) / 3""";

    private static final List<String> TOPICS =
            List.of("medication.commands", "medication.events", "medication.prescription.created");

    private final Arguments arguments;
    private final List<CommandLoad> loads;
    private final int warmUps;
    private final int rounds;
    private final Map<CommandLoad, Map<String, List<Figures>>> results = new LinkedHashMap<>();
    private final Map<String, Integer> counted = new HashMap<>();
    private final Map<String, List<Double>> idle = new LinkedHashMap<>();

    private Map<String, String> servers;
    private String authorization;
    private Admin admin;

    /**
     * @param cpu milliseconds of the side's process per command, until all effects are there
     * @param answered commands per second until the last answer
     * @param done commands per second until all effects are there
     */
    private record Figures(CommandLoad.Answers answers, double cpu, double answered, double done) {

        double median() {
            return answers.latencies().millis(50);
        }

        double p95() {
            return answers.latencies().millis(95);
        }
    }

    /** @throws IllegalArgumentException for an unknown name */
    CommandBench(String... arguments) {
        this.arguments =
                new Arguments(arguments, "rounds", "warm-ups", "rate", "seconds", "loads", "runtime", "jvm", "jfr");
        loads = loads();
        warmUps = this.arguments.number("warm-ups", 6000);
        rounds = this.arguments.number("rounds", 5);
        // refuse wrong arguments before the servers start
        this.arguments.runtime();
        this.arguments.jvmOptions("", SIDES);
    }

    public static void main(String[] args) throws Exception {
        CommandBench commands = new CommandBench(args);
        commands.run(Servers.shared());
        commands.print();
        System.exit(0);
    }

    private List<CommandLoad> loads() {
        int rate = arguments.number("rate", 10);
        int seconds = arguments.number("seconds", 7);
        List<CommandLoad> loads = new ArrayList<>(List.of(
                new CommandLoad("1 client", 1, 0, 300, false, false),
                new CommandLoad(CLIENTS + " clients", CLIENTS, 0, 1000, false, false)));
        for (int r : List.of(rate, 10 * rate)) {
            loads.add(new CommandLoad(r + "/s", MANY_CLIENTS, r, r * seconds, false, false));
            loads.add(new CommandLoad(r + "/s to the effect", MANY_CLIENTS, r, r * seconds, true, false));
        }
        String many = 10 * rate + "/s, readers stopped";
        loads.add(new CommandLoad(many, MANY_CLIENTS, 10 * rate, 10 * rate * seconds, false, true));
        List<String> wanted = arguments.chosen(
                "loads", ";", loads.stream().map(CommandLoad::name).toList());
        loads.removeIf(load -> !wanted.contains(load.name()));
        return loads;
    }

    /** @return how many commands were counted, by side, warm-ups included */
    Map<String, Integer> run(Servers on) throws Exception {
        servers = on.properties();
        authorization = new Tokens(servers.get("spring.security.oauth2.resourceserver.jwt.issuer-uri")).sandbox();
        admin = Admin.create(Map.of("bootstrap.servers", servers.get("camel.component.kafka.brokers")));
        Topics.create(admin, PARTITIONS, BareController.TOPIC);
        List<SideProcess> sides = new ArrayList<>();
        try (Connection connection = ProjectionTable.connect(servers)) {
            sides.add(HttpSides.start(YAML, SIDES, CommandRoutes.class, servers, arguments));
            HttpSides.awaitReady(sides.get(0));
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table %s (like medication_command including all) with (fillfactor = 80)"
                        .formatted(BareController.TABLE));
            }
            sides.add(HttpSides.start(RAW, SIDES, BareController.class, servers, arguments));
            HttpSides.await(
                    sides.get(1),
                    "it listens",
                    () -> HttpSides.ports(sides.get(1)).size() == 1);
            for (SideProcess side : sides) {
                show(0, new CommandLoad("warm-up", CLIENTS, 0, warmUps, false, false), side, connection, false);
            }
            if (loads.stream().anyMatch(CommandLoad::awaited)) {
                CommandLoad effects =
                        new CommandLoad("warm-up to the effect", CLIENTS, 0, Math.min(1000, warmUps), true, false);
                show(0, effects, sides.get(0), connection, false);
            }
            for (int round = 0; round < rounds; round++) {
                rest(sides);
                for (CommandLoad load : loads) {
                    for (SideProcess side : sides) {
                        // the bare controller has neither effects nor readers
                        if (side.name().equals(YAML) || !load.awaited() && !load.alone()) {
                            show(round, load, side, connection, true);
                        }
                    }
                }
                Collections.rotate(sides, 1);
            }
        } finally {
            sides.forEach(SideProcess::close);
            admin.close();
        }
        return counted;
    }

    /** Measures the CPU of idle sides. */
    private void rest(List<SideProcess> sides) throws Exception {
        Map<String, Long> before = new HashMap<>();
        sides.forEach(side -> before.put(side.name(), side.cpu().toNanos()));
        TimeUnit.SECONDS.sleep(3);
        sides.forEach(side -> idle.computeIfAbsent(side.name(), name -> new ArrayList<>())
                .add((side.cpu().toNanos() - before.get(side.name())) / 3e6));
    }

    private void show(int round, CommandLoad load, SideProcess side, Connection connection, boolean counts)
            throws Exception {
        Figures figures = run(load, side, connection);
        System.out.printf(
                "round %d  %-22s %-16s median %6.1f ms  p95 %6.1f ms  %5.2f ms CPU  %5.0f/s answered  %5.0f/s done  %d asked again%n",
                round,
                load.name(),
                side.name(),
                figures.median(),
                figures.p95(),
                figures.cpu,
                figures.answered,
                figures.done,
                figures.answers.again());
        if (counts) {
            results.computeIfAbsent(load, l -> new LinkedHashMap<>())
                    .computeIfAbsent(side.name(), name -> new ArrayList<>())
                    .add(figures);
        }
    }

    private Figures run(CommandLoad load, SideProcess side, Connection connection) throws Exception {
        boolean raw = side.name().equals(RAW);
        List<Long> expected = after(left(raw, connection), load.count());
        long acceptedBefore = expected.get(0) - load.count();
        if (load.alone()) {
            side.tell("stop");
            HttpSides.await(side, "no consumer reads", () -> members() == 0);
        }
        double before = side.cpu().toNanos();
        long began = System.nanoTime();
        URI prescriptions = URI.create("http://127.0.0.1:%s/api/prescriptions"
                .formatted(HttpSides.ports(side).get(0)));
        CommandLoad.Answers answers = load.send(prescriptions, authorization);
        double cpu = 0;
        if (load.alone()) {
            cpu = side.cpu().toNanos() - before;
            List<Long> accepted = left(false, connection);
            if (accepted.get(0) - acceptedBefore != load.count() || accepted.get(1) != expected.get(1) - load.count()) {
                throw new IllegalStateException(
                        "%s: %s instead of %s without effects".formatted(load, accepted, expected));
            }
            side.tell("start %s none none".formatted(TOPICS.get(0)));
        }
        HttpSides.await(side, "all effects are there", () -> reaches(left(raw, connection), expected));
        double seconds = (System.nanoTime() - began) / 1e9;
        if (!load.alone()) {
            cpu = side.cpu().toNanos() - before;
        }
        // surplus effects would arrive now
        TimeUnit.MILLISECONDS.sleep(300);
        if (!left(raw, connection).equals(expected)) {
            throw new IllegalStateException("%s: %s instead of %s".formatted(load, left(raw, connection), expected));
        }
        counted.merge(side.name(), load.count(), Integer::sum);
        return new Figures(
                answers, cpu / 1e6 / load.count(), answers.latencies().perSecond(), load.count() / seconds);
    }

    /** Counts all that the commands have left by now: rows, then records. */
    private List<Long> left(boolean raw, Connection connection) throws Exception {
        List<Long> counts =
                new ArrayList<>(rows(connection, raw ? "select count(*) from " + BareController.TABLE : ROWS));
        for (String topic : raw ? List.of(BareController.TOPIC) : TOPICS) {
            counts.add(records(topic));
        }
        return counts;
    }

    private static List<Long> rows(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            List<Long> counts = new ArrayList<>();
            for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                counts.add(row.getLong(i));
            }
            return counts;
        }
    }

    private long records(String topic) throws Exception {
        Map<TopicPartition, OffsetSpec> latest = IntStream.range(0, PARTITIONS)
                .boxed()
                .collect(Collectors.toMap(n -> new TopicPartition(topic, n), n -> OffsetSpec.latest()));
        return admin.listOffsets(latest).all().get().values().stream()
                .mapToLong(ListOffsetsResultInfo::offset)
                .sum();
    }

    private static List<Long> after(List<Long> counts, int more) {
        return counts.stream().map(count -> count + more).toList();
    }

    private static boolean reaches(List<Long> counts, List<Long> expected) {
        return IntStream.range(0, counts.size()).allMatch(i -> counts.get(i) >= expected.get(i));
    }

    private long members() throws Exception {
        return admin
                .listConsumerGroups(new ListConsumerGroupsOptions()
                        .inStates(Set.of(
                                ConsumerGroupState.STABLE,
                                ConsumerGroupState.PREPARING_REBALANCE,
                                ConsumerGroupState.COMPLETING_REBALANCE)))
                .all()
                .get()
                .stream()
                .map(ConsumerGroupListing::groupId)
                .count();
    }

    private void print() {
        System.out.printf(
                "%n| commands | side | median, ms | p95, ms | CPU, ms per command | median / bare | p95 / bare | CPU / bare |%n|---|---|---|---|---|---|---|---|%n");
        results.forEach((load, sides) -> sides.forEach((side, rounds) -> System.out.printf(
                "| %s | %s | %s | %s | %s | %s |%n",
                load.name(),
                side,
                Medians.spread(rounds, Figures::median, 1),
                Medians.spread(rounds, Figures::p95, 1),
                Medians.spread(rounds, Figures::cpu, 1),
                bare(load) == null ? "- | - | -" : ratios(rounds, bare(load)))));
        results.keySet().stream()
                .filter(load -> load.rate() > 0)
                .flatMap(load -> results.keySet().stream()
                        .filter(more ->
                                more.rate() == 10 * load.rate() && more.awaited() == load.awaited() && !more.alone())
                        .flatMap(more -> results.get(load).keySet().stream().map(side -> "| %s / %s | %s | %s |"
                                .formatted(
                                        more.name(),
                                        load.name(),
                                        side,
                                        ratios(
                                                results.get(more).get(side),
                                                results.get(load).get(side))))))
                .forEach(System.out::println);
        results.forEach((load, sides) -> sides.forEach((side, rounds) -> System.out.printf(
                "%s, %s: %s/s answered, %s/s done, %d asked again%n",
                load.name(),
                side,
                Medians.spread(rounds, Figures::answered, 1),
                Medians.spread(rounds, Figures::done, 1),
                rounds.stream().mapToInt(figures -> figures.answers.again()).sum())));
        idle.forEach((side, millis) -> System.out.printf(
                "%s with nothing to do: %.0f ms CPU a second%n",
                side, Medians.median(millis.stream().mapToDouble(one -> one))));
    }

    /** Returns the figures of the bare controller under the same load; null without any. */
    private List<Figures> bare(CommandLoad load) {
        return results.entrySet().stream()
                .filter(other ->
                        other.getKey().rate() == load.rate() && other.getKey().clients() == load.clients())
                .map(other -> other.getValue().get(RAW))
                .filter(rounds -> rounds != null && !load.awaited())
                .findFirst()
                .orElse(null);
    }

    /** Returns the medians of the ratios within each round. */
    private static String ratios(List<Figures> of, List<Figures> to) {
        return Stream.<ToDoubleFunction<Figures>>of(Figures::median, Figures::p95, Figures::cpu)
                .map(figure -> "%.2f".formatted(Medians.ratio(of, to, figure)))
                .collect(Collectors.joining(" | "));
    }
}
