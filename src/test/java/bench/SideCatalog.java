package bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import routes.NodeClients;
import sandbox.MavenArtifacts;

/** Lists all sides with their workloads, and starts them. The first side of a workload is the base of its ratios. */
final class SideCatalog {

    static final String YAML = "yaml route";

    private static final Set<String> RECORDS = Set.of("many", "poison", "hot");
    private static final Set<String> NONE = Set.of();

    /** Separates the tables of the workload from others; the runtime creates them. */
    static final String PATIENTS_SCHEMA = "?currentSchema=bench_patients";

    /** A side of ours, hand-written or in YAML: the class of its process and its arguments. */
    private record Ours(SideSpec spec, Class<?> main, Function<SideCatalog, List<String>> arguments) {

        Ours(
                String name,
                Set<String> workloads,
                Set<String> slowOn,
                Class<?> main,
                Function<SideCatalog, List<String>> arguments) {
            this(new SideSpec(name, workloads, slowOn, false), main, arguments);
        }
    }

    /** A side made with Spring's or Confluent's libraries, Camel's own consumer, or a Node client. */
    private record Peer(SideSpec spec, Class<?> main, boolean libraries, String nodeMode) {

        Peer(String name, Set<String> slowOn, Class<?> main, boolean libraries) {
            this(new SideSpec(name, RECORDS, slowOn, true), main, libraries, null);
        }

        Peer(String name, Set<String> slowOn, String nodeMode) {
            this(new SideSpec(name, RECORDS, slowOn, true), null, false, nodeMode);
        }
    }

    private static final List<Ours> OURS = List.of(
            new Ours("raw", RECORDS, NONE, RawLoop.class, SideCatalog::brokersOnly),
            new Ours("raw again", RECORDS, NONE, RawLoop.class, SideCatalog::brokersOnly),
            new Ours(YAML, RECORDS, Set.of("hot"), YamlRoute.class, sides -> sides.route("transform")),
            new Ours("raw JDBC batch", Set.of("projection"), NONE, RawProjection.class, sides -> sides.runtime),
            new Ours(
                    "yaml batch route",
                    Set.of("projection"),
                    NONE,
                    YamlRoute.class,
                    sides -> sides.route("projection")),
            new Ours(
                    "raw patient batch",
                    Set.of("patients"),
                    NONE,
                    RawPatientView.class,
                    sides -> sides.patients("batch")),
            new Ours(
                    "yaml patient view",
                    Set.of("patients"),
                    NONE,
                    YamlRoute.class,
                    sides -> sides.patients("bench/patients.camel.yaml")),
            new Ours(
                    "raw row by row",
                    Set.of("patients"),
                    Set.of("patients"),
                    RawPatientView.class,
                    sides -> sides.patients("row-by-row")),
            new Ours("raw outbox loop", Set.of("outbox"), NONE, RawOutbox.class, sides -> sides.runtime),
            new Ours("outbox relay", Set.of("outbox"), NONE, OutboxRelaySide.class, sides -> sides.runtime));

    private static final List<Peer> PEERS = List.of(
            new Peer("spring batch listener", NONE, SpringBatch.class, true),
            new Peer("spring async acks", NONE, SpringAsyncAcks.class, true),
            new Peer("spring record listener", RECORDS, SpringRecords.class, true),
            new Peer("parallel consumer", Set.of("hot"), ConfluentParallelConsumer.class, true),
            new Peer("stock camel-kafka", RECORDS, StockCamel.class, false),
            new Peer("kafkajs eachBatch", NONE, "eachBatch"),
            new Peer("kafkajs eachMessage", RECORDS, "eachMessage"));

    private final Arguments arguments;
    private final String brokers;
    private final List<String> runtime = new ArrayList<>();

    SideCatalog(Arguments arguments, Map<String, String> servers) throws IOException {
        this.arguments = arguments;
        brokers = servers.get("camel.component.kafka.brokers");
        servers.forEach((name, value) -> runtime.add("--" + name + "=" + value));
        runtime.addAll(List.of(
                "--server.port=0",
                "--management.server.port=0",
                "--server.address=127.0.0.1",
                "--management.server.address=127.0.0.1",
                // no side compresses
                "--camel.component.kafka.compression-codec=none"));
        // the patterns' routes would read the records of the bench
        patterns().forEach(pattern -> runtime.add("--event-broker.%s.enabled=false".formatted(pattern)));
        runtime.addAll(arguments.runtime());
    }

    /** Returns every side in the order of their starts. */
    static List<SideSpec> all() {
        return Stream.concat(OURS.stream().map(Ours::spec), PEERS.stream().map(Peer::spec))
                .toList();
    }

    /** Returns the side that is the base of the ratios of a workload. */
    static String base(String workload) {
        return all().stream()
                .filter(spec -> spec.workloads().contains(workload))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown workload " + workload))
                .name();
    }

    /** Starts the named sides. Without Node it reports and skips the sides in Node. */
    List<SideProcess> start(Collection<String> names) throws IOException {
        List<SideProcess> sides = new ArrayList<>();
        for (Ours ours : OURS) {
            if (names.contains(ours.spec().name())) {
                sides.add(java(
                        ours.spec(), List.of(), ours.main(), ours.arguments().apply(this)));
            }
        }
        for (Peer peer : PEERS) {
            if (names.contains(peer.spec().name())) {
                start(peer).ifPresent(sides::add);
            }
        }
        return sides;
    }

    private Optional<SideProcess> start(Peer peer) throws IOException {
        if (peer.nodeMode() == null) {
            return Optional.of(
                    java(peer.spec(), peer.libraries() ? libraries() : List.of(), peer.main(), List.of(brokers)));
        }
        try {
            NodeClients.install();
        } catch (TestAbortedException e) {
            System.out.println(peer.spec().name() + ": " + e.getMessage());
            return Optional.empty();
        }
        return Optional.of(SideProcess.node(
                peer.spec(), Path.of("target", "node"), List.of("--broker", brokers, "--mode", peer.nodeMode())));
    }

    private SideProcess java(SideSpec spec, List<Path> libraries, Class<?> main, List<String> mainArguments)
            throws IOException {
        List<String> names = all().stream().map(SideSpec::name).toList();
        return SideProcess.java(spec, libraries, arguments.jvmOptions(spec.name(), names), main, mainArguments);
    }

    /**
     * Returns the peers' libraries for the class path. The runtime's own come first, so that all sides have the same
     * Kafka clients and JSON code.
     */
    private static List<Path> libraries() {
        return new MavenArtifacts(Path.of("target", "server-software"), System.out)
                .classPath(System.getProperty("bench.peers").split(","));
    }

    private static List<String> patterns() throws IOException {
        return Arrays.stream(new PathMatchingResourcePatternResolver().getResources("classpath:camel/*.camel.yaml"))
                .map(Resource::getFilename)
                .map(file -> file.substring(0, file.indexOf('.')))
                .toList();
    }

    private List<String> brokersOnly() {
        return List.of(brokers);
    }

    private List<String> route(String file) {
        return with("bench/" + file + ".camel.yaml", runtime);
    }

    private List<String> patients(String first) {
        return with(
                first,
                runtime.stream()
                        .map(option ->
                                option.startsWith("--spring.datasource.url=") ? option + PATIENTS_SCHEMA : option)
                        .toList());
    }

    private static List<String> with(String first, List<String> options) {
        return Stream.concat(Stream.of(first), options.stream()).toList();
    }
}
