package sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.Uuid;

/**
 * Runs one Kafka broker that is its own controller (KRaft). The runtime provisions topics from its contract, so a
 * typing error creates none.
 */
class KafkaServer implements Server {

    static final String NAME = "kafka";

    static final int CONTRACT_PORT = 9092;

    private static final String VERSION = "4.3.1";
    private static final int MAX_HEAP_MIB = 256;
    private static final int MAX_MESSAGE_BYTES = 2 << 20;
    private static final int PROBE_TIMEOUT_MS = 3_000;

    private final MavenArtifacts artifacts;

    KafkaServer(MavenArtifacts artifacts) {
        this.artifacts = artifacts;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int contractPort() {
        return CONTRACT_PORT;
    }

    @Override
    public List<Path> install() {
        // replaces slf4j 1.7 of its libraries, and logs to standard error
        return artifacts.classPath(
                "org.apache.kafka:kafka_2.13:" + VERSION,
                "org.slf4j:slf4j-api:2.0.17",
                "org.slf4j:slf4j-simple:2.0.17");
    }

    @Override
    public void format(Site site) throws IOException, InterruptedException {
        List<String> format = new ArrayList<>(List.of(
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                clusterId(),
                "--config",
                configuration(site).toString()));
        format.addAll(formatArguments());
        Processes.run(Launch.java(site, MAX_HEAP_MIB, options(), format), site.data(), "");
    }

    @Override
    public Launch launch(Site site) throws IOException {
        return Launch.java(
                site,
                MAX_HEAP_MIB,
                options(),
                List.of("kafka.Kafka", configuration(site).toString()));
    }

    @Override
    public boolean ready(Site site) throws Exception {
        Map<String, Object> configuration = new HashMap<>(adminConfiguration(site.port()));
        configuration.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PROBE_TIMEOUT_MS);
        configuration.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PROBE_TIMEOUT_MS);
        try (Admin admin = Admin.create(configuration)) {
            return admin.describeCluster().nodes().get(PROBE_TIMEOUT_MS, TimeUnit.MILLISECONDS).stream()
                    .anyMatch(node -> node.id() == node());
        }
    }

    @Override
    public String address(int port) {
        return Ports.LOOPBACK + ":" + port;
    }

    @Override
    public Map<String, String> properties(int port) {
        return Map.of("camel.component.kafka.brokers", address(port));
    }

    String clusterId() {
        return Uuid.randomUuid().toString();
    }

    /** Returns its number in the cluster. */
    int node() {
        return 1;
    }

    /** Returns the controller ports of all nodes, in the order of their numbers from 1. */
    List<Integer> controllerPorts() {
        return List.of(Ports.freeForInternalUse().nextInt());
    }

    /** Returns further arguments of the command that formats the data directory. */
    List<String> formatArguments() {
        return List.of();
    }

    /**
     * Returns settings that differ for another kind of broker.
     *
     * @param listeners addresses that it listens on
     * @param advertised addresses for clients
     */
    Map<String, String> furtherConfiguration(String listeners, String advertised) {
        return Map.of();
    }

    /** Returns the configuration of a client that may do everything. */
    Map<String, Object> adminConfiguration(int port) {
        return Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, address(port));
    }

    /** Returns further options of its JVM. */
    List<String> jvmOptions() {
        return List.of();
    }

    private List<String> options() {
        List<String> options = new ArrayList<>(List.of(
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"));
        options.addAll(jvmOptions());
        return options;
    }

    private String voters(List<Integer> controllerPorts) {
        return IntStream.rangeClosed(1, controllerPorts.size())
                .mapToObj(node -> node + "@" + address(controllerPorts.get(node - 1)))
                .collect(Collectors.joining(","));
    }

    /** Writes the configuration for every start, because the port may have changed. */
    private Path configuration(Site site) throws IOException {
        List<Integer> controllerPorts = controllerPorts();
        int controllerPort = controllerPorts.get(node() - 1);
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "process.roles", "broker,controller",
                "node.id", Integer.toString(node()),
                "controller.quorum.voters", voters(controllerPorts),
                "listeners", "BROKER://%s,CONTROLLER://%s".formatted(address(site.port()), address(controllerPort)),
                "advertised.listeners", "BROKER://%s".formatted(address(site.port())),
                "listener.security.protocol.map", "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name", "BROKER",
                "controller.listener.names", "CONTROLLER",
                "log.dirs", site.data().resolve("log").toString()));
        // Topics: as in production, but with one broker. The default partitions are for topics that a person creates by
        // hand.
        properties.putAll(Map.of(
                "auto.create.topics.enable", "false",
                "num.partitions", "3",
                "default.replication.factor", "1",
                "min.insync.replicas", "1",
                "message.max.bytes", Integer.toString(MAX_MESSAGE_BYTES),
                "replica.fetch.max.bytes", Integer.toString(MAX_MESSAGE_BYTES)));
        // Its own topics: one replica, and few partitions, as each costs files at every start.
        properties.putAll(Map.of(
                "offsets.topic.replication.factor", "1",
                "offsets.topic.num.partitions", "1",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "transaction.state.log.num.partitions", "1",
                "share.coordinator.state.topic.replication.factor", "1",
                "share.coordinator.state.topic.min.isr", "1",
                "share.coordinator.state.topic.num.partitions", "1"));
        // Quick: a killed broker must wait until its former self has lost its session; consumers need not wait for more
        // members of their group.
        properties.putAll(Map.of(
                "broker.session.timeout.ms", "3000",
                "broker.heartbeat.interval.ms", "500",
                "group.initial.rebalance.delay.ms", "0"));
        // Small: two cores and this heap have to do; by default, the cleaner alone takes 128 MiB.
        properties.putAll(Map.of(
                "num.network.threads",
                "2",
                "num.io.threads",
                "4",
                "log.cleaner.dedupe.buffer.size",
                Integer.toString(8 << 20),
                "log.index.size.max.bytes",
                Integer.toString(1 << 20)));
        properties.putAll(furtherConfiguration(
                properties.getProperty("listeners"), properties.getProperty("advertised.listeners")));
        Path file = site.data().resolve("server.properties");
        try (var writer = Files.newBufferedWriter(file)) {
            properties.store(writer, null);
        }
        return file;
    }
}
