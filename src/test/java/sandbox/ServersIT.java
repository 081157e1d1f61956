package sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PrimitiveIterator;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Checks that servers keep their data, and that a run touches nothing of another run. */
@Timeout(120)
class ServersIT {

    private static final String SCHEMA =
            "{\"type\":\"record\",\"name\":\"Dose\",\"fields\":[{\"name\":\"mg\",\"type\":\"int\"}]}";

    private static final List<String> AT_ONCE = List.of("kafka", "postgres", "schema-registry", "token-issuer");

    private final HttpClient http = HttpClient.newHttpClient();

    /** Starts outside the time limit of a test, because a new machine first downloads the servers. */
    @BeforeAll
    static void start() {
        Servers.shared();
    }

    @Test
    void keepsRecordsWhenTheBrokerIsKilled() throws Exception {
        ServerProcess kafka = Servers.shared().kafka();
        String topic = "records-" + UUID.randomUUID();
        createTopic(kafka, topic);
        List<String> sent = IntStream.range(0, 100).mapToObj(i -> "record " + i).toList();
        produce(kafka, topic, sent);

        kafka.kill();
        kafka.start();

        assertThat(consume(kafka, topic, sent.size())).isEqualTo(sent);
    }

    @Test
    void createsNoTopicForAMisspeltName() throws Exception {
        ServerProcess kafka = Servers.shared().kafka();
        String misspelt = "misspelt-" + UUID.randomUUID();

        assertThatThrownBy(() -> produce(kafka, misspelt, List.of("lost"))).hasMessageContaining(misspelt);
    }

    @Test
    void keepsRowsWhenTheDatabaseIsKilled() throws Exception {
        ServerProcess postgres = Servers.shared().postgres();
        // the runtime of other tests migrates the public schema
        execute(postgres, "CREATE SCHEMA it");
        execute(postgres, "CREATE TABLE it.kept (id int PRIMARY KEY)");
        execute(postgres, "INSERT INTO it.kept VALUES (42)");

        postgres.kill();
        postgres.start();

        assertThat(query(postgres, "SELECT id FROM it.kept")).isEqualTo("42");
        assertThat(query(postgres, "SHOW fsync")).isEqualTo("on");
        assertThat(query(postgres, "SHOW synchronous_commit")).isEqualTo("on");
    }

    @Test
    void keepsSchemaIdsWhenTheRegistryIsKilled() throws Exception {
        ServerProcess registry = Servers.shared().schemaRegistry();
        String first = register(registry, "first-value", SCHEMA);

        registry.kill();
        registry.start();

        assertThat(register(registry, "first-value", SCHEMA))
                .as("the same schema")
                .isEqualTo(first);
        assertThat(register(registry, "second-value", SCHEMA.replace("Dose", "Refill")))
                .as("another schema")
                .isNotEqualTo(first);
        assertThat(get(registry.address() + "/schemas/ids/" + id(first))).contains("Dose");
    }

    @Test
    void suspendedServerAnswersOnlyAfterItIsResumed() throws Exception {
        ServerProcess postgres = Servers.shared().postgres();
        String impatient = postgres.address() + "?connectTimeout=1&socketTimeout=1&loginTimeout=2";

        postgres.suspend();
        try {
            assertThatThrownBy(() -> DriverManager.getConnection(impatient, "eventbroker", "eventbroker"))
                    .isInstanceOf(SQLException.class);
        } finally {
            postgres.resume();
        }

        assertThat(query(postgres, "SELECT 1")).isEqualTo("1");
    }

    @Test
    void givesTheRuntimeItsProperties() {
        Servers servers = Servers.shared();

        assertThat(servers.properties())
                .containsEntry(
                        "camel.component.kafka.brokers",
                        "127.0.0.1:" + servers.kafka().port())
                .containsEntry(
                        "event-broker.schema-registry.url",
                        "http://127.0.0.1:%d/apis/ccompat/v7"
                                .formatted(servers.schemaRegistry().port()))
                .containsEntry(
                        "spring.datasource.url",
                        "jdbc:postgresql://127.0.0.1:%d/eventbroker"
                                .formatted(servers.postgres().port()))
                .containsEntry(
                        "spring.security.oauth2.resourceserver.jwt.issuer-uri",
                        "http://localhost:%d".formatted(servers.tokenIssuer().port()))
                .hasEntrySatisfying("event-broker.fhir.servers.default.url", url -> assertThat(url)
                        .matches("http://127\\.0\\.0\\.1:\\d+/fhir"))
                .containsKeys("spring.datasource.username", "spring.datasource.password");
        assertThat(servers.summary()).contains("kafka", "postgres", "schema-registry", "token-issuer", "fhir-server");
    }

    @Test
    void reportsTheOwnerOfATakenPortAndTheRemedy(@TempDir Path directory) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Servers servers = servers(directory, Map.of("kafka", taken.getLocalPort()));

            assertThatThrownBy(servers::start)
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContainingAll(
                            "kafka", "port " + taken.getLocalPort() + " is taken", "-Dsandbox.kafka.port=")
                    .hasMessageNotContaining("\n");
            if (Files.isDirectory(Path.of("/proc/self/fd"))) {
                assertThatThrownBy(servers::start)
                        .hasMessageContaining(
                                "process " + ProcessHandle.current().pid());
            }
            assertThat(list(directory)).containsExactly("lock");
        }
    }

    @Test
    void reportsATakenPortOfTheRuntimeBeforeTheStart(@TempDir Path directory) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            PrimitiveIterator.OfInt free = Ports.free();
            Servers servers = new Servers(
                    directory, server -> free.nextInt(), Map.of("http", taken.getLocalPort()), false, System.out);

            assertThatThrownBy(servers::start)
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContainingAll(
                            "http", "port " + taken.getLocalPort() + " is taken", "-Dsandbox.http.port=")
                    .hasMessageNotContaining("\n");
            assertThat(list(directory)).containsExactly("lock");
        }
    }

    @Test
    void doesNotServeTheDatabaseOfAnotherDirectory(@TempDir Path directory) throws Exception {
        ServerProcess other = Servers.shared().postgres();
        PostgresServer server =
                new PostgresServer(new MavenArtifacts(directory, System.out), new Distributions(directory));
        ServerProcess postgres = new ServerProcess(server, directory, other.port(), System.out);

        assertThatThrownBy(postgres::start)
                .hasMessageContaining("port " + other.port() + " is taken by process " + other.pid());
        // also when the other server took the port after the check
        assertThat(server.ready(new Server.Site(List.of(), directory, other.port())))
                .isFalse();
    }

    @Test
    void refusesASecondRunInTheSameDirectory() {
        Servers.shared();

        assertThatThrownBy(() -> servers(Servers.sharedDirectory(), Map.of()).start())
                .hasMessageContainingAll(
                        "in use by process " + ProcessHandle.current().pid());
        assertThat(Servers.shared().postgres().isAlive()).isTrue();
    }

    @Test
    void stopsTheLeftoversOfAKilledRunAndKeepsTheData() throws Exception {
        Path directory = Path.of("target", "it-leftovers");
        Distributions.delete(directory);
        Map<String, Integer> ports = ports();
        Process run = run(directory, ports);
        awaitLine(run, Run.UP::equals);
        List<ProcessHandle> left = remembered(directory);
        assertThat(left).hasSize(AT_ONCE.size());
        run.destroyForcibly().waitFor();
        assertThat(left).allMatch(ProcessHandle::isAlive);

        try (Servers servers = servers(directory, ports)) {
            servers.start();

            assertThat(left).noneMatch(ProcessHandle::isAlive);
            assertThat(query(servers.postgres(), "SELECT id FROM kept")).isEqualTo("7");
        }
    }

    @Test
    void leavesNothingBehindWhenAStartIsInterrupted() throws Exception {
        Path directory = Path.of("target", "it-ended");
        Distributions.delete(directory);
        Process run = run(directory, ports());
        awaitLine(run, line -> line.contains("ready at"));
        List<ProcessHandle> started = remembered(directory);

        run.destroy();
        assertThat(run.waitFor(15, TimeUnit.SECONDS)).isTrue();

        assertThat(started).isNotEmpty().noneMatch(ProcessHandle::isAlive);
        assertThat(list(directory)).noneMatch(name -> name.endsWith(".pid"));
    }

    @Test
    void neverStopsAnotherProcessWithAReusedPid(@TempDir Path directory) throws IOException {
        long pid = ProcessHandle.current().pid();
        PidFile file = new PidFile(Files.writeString(directory.resolve("kafka.pid"), pid + " 2001-01-01T00:00:00Z\n"));

        assertThat(file.process()).isEmpty();
    }

    @Test
    void leavesNothingBehindWhenClosed() throws IOException {
        Path directory = Path.of("target", "it-closed");
        Servers servers = servers(directory, Map.of());
        servers.start();
        List<ServerProcess> processes = List.of(servers.kafka(), servers.postgres(), servers.schemaRegistry());
        List<ProcessHandle> handles = processes.stream()
                .map(process -> ProcessHandle.of(process.pid()).orElseThrow())
                .flatMap(handle -> Stream.concat(Stream.of(handle), handle.descendants()))
                .toList();
        PidFile fhirServer = new PidFile(directory.resolve("fhir-server.pid"));
        CompletableFuture<ServerProcess> starting = CompletableFuture.supplyAsync(servers::fhirServer);
        await().atMost(Duration.ofSeconds(60))
                .until(() -> fhirServer.process().map(ProcessHandle::isAlive).orElse(false));
        ProcessHandle halfStarted = fhirServer.process().orElseThrow();

        servers.close();
        servers.close();

        assertThat(handles).hasSizeGreaterThan(processes.size()).noneMatch(ProcessHandle::isAlive);
        assertThat(halfStarted.isAlive()).isFalse();
        assertThat(starting).failsWithin(Duration.ofSeconds(10));
        assertThatThrownBy(servers::fhirServer).hasMessageContaining("stopped");
        assertThat(processes).noneMatch(process -> Ports.taken(process.port()));
        assertThat(list(directory)).noneMatch(name -> name.endsWith(".pid"));
    }

    @Test
    void showsTheEndOfTheLogWhenAServerExitsEarly(@TempDir Path directory) {
        ServerProcess process =
                new ServerProcess(new EndsEarly(), directory, Ports.free().nextInt(), System.out);

        assertThatThrownBy(process::start)
                .hasMessageContainingAll("ends-early ended with exit code 3", "the disk is made of cheese");
        assertThat(directory.resolve("ends-early.pid")).doesNotExist();
    }

    @Test
    void reportsMissingDiskSpace(@TempDir Path directory) {
        assertThatThrownBy(() -> Servers.checkDisk(directory, Long.MAX_VALUE))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("free disk");
    }

    private static Servers servers(Path directory, Map<String, Integer> ports) {
        PrimitiveIterator.OfInt free = Ports.free();
        return new Servers(
                directory, server -> ports.getOrDefault(server.name(), free.nextInt()), Map.of(), false, System.out);
    }

    private static Map<String, Integer> ports() {
        PrimitiveIterator.OfInt free = Ports.free();
        return Stream.concat(AT_ONCE.stream(), Stream.of("fhir-server"))
                .collect(Collectors.toMap(name -> name, name -> free.nextInt()));
    }

    private static Process run(Path directory, Map<String, Integer> ports) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(
                        java,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Run.class.getName(),
                        directory.toString(),
                        ports.get("kafka").toString(),
                        ports.get("postgres").toString(),
                        ports.get("schema-registry").toString(),
                        ports.get("token-issuer").toString(),
                        ports.get("fhir-server").toString())
                .redirectErrorStream(true)
                .start();
    }

    private static List<ProcessHandle> remembered(Path directory) throws IOException {
        List<ProcessHandle> handles = new ArrayList<>();
        for (String name : list(directory)) {
            if (name.endsWith(".pid")) {
                new PidFile(directory.resolve(name)).process().ifPresent(handles::add);
            }
        }
        return handles;
    }

    private static void awaitLine(Process process, Predicate<String> wanted) throws IOException {
        BufferedReader reader = process.inputReader();
        List<String> printed = new ArrayList<>();
        String line;
        do {
            line = reader.readLine();
            assertThat(line).as("the run ended after %s", printed).isNotNull();
            printed.add(line);
        } while (!wanted.test(line));
    }

    private static List<String> list(Path directory) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            List<String> names = new ArrayList<>();
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
            return names;
        }
    }

    private static void createTopic(ServerProcess kafka, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.address()))) {
            Topics.create(admin, 1, topic);
        }
    }

    private static void produce(ServerProcess kafka, String topic, List<String> values) throws Exception {
        Map<String, Object> configuration = Map.of("bootstrap.servers", kafka.address(), "max.block.ms", 3_000);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(configuration, new StringSerializer(), new StringSerializer())) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(topic, value)).get();
            }
        }
    }

    private static List<String> consume(ServerProcess kafka, String topic, int count) {
        List<String> values = new ArrayList<>();
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.address()), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                consumer.poll(Duration.ofMillis(500)).forEach(record -> values.add(record.value()));
                return values.size() >= count;
            });
        }
        return values;
    }

    private static void execute(ServerProcess postgres, String sql) throws SQLException {
        try (Connection connection = connect(postgres)) {
            connection.createStatement().execute(sql);
        }
    }

    private static String query(ServerProcess postgres, String sql) throws SQLException {
        try (Connection connection = connect(postgres);
                ResultSet result = connection.createStatement().executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    private static Connection connect(ServerProcess postgres) throws SQLException {
        return DriverManager.getConnection(postgres.address(), "eventbroker", "eventbroker");
    }

    private String register(ServerProcess registry, String subject, String schema) throws Exception {
        String body = "{\"schema\":\"%s\"}".formatted(schema.replace("\"", "\\\""));
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("%s/subjects/%s/versions".formatted(registry.address(), subject)))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        return response.body();
    }

    private String get(String url) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static String id(String registered) {
        return registered.replaceAll("\\D", "");
    }

    /** Runs as a process of its own, which a test kills. */
    static final class Run {

        static final String UP = "up";

        public static void main(String[] arguments) throws Exception {
            Iterator<Integer> ports =
                    Stream.of(arguments).skip(1).map(Integer::valueOf).iterator();
            Servers servers = new Servers(Path.of(arguments[0]), server -> ports.next(), Map.of(), false, System.out);
            servers.start();
            execute(servers.postgres(), "CREATE TABLE kept AS SELECT 7 AS id");
            System.out.println(UP);
            Thread.currentThread().join();
        }
    }

    private static final class EndsEarly implements Server {

        @Override
        public String name() {
            return "ends-early";
        }

        @Override
        public int contractPort() {
            return 1;
        }

        @Override
        public List<Path> install() {
            return List.of();
        }

        @Override
        public void format(Site site) {
            // has no data
        }

        @Override
        public Launch launch(Site site) {
            return new Launch(List.of("sh", "-c", "echo the disk is made of cheese; exit 3"), Map.of());
        }

        @Override
        public boolean ready(Site site) {
            return true;
        }

        @Override
        public String address(int port) {
            return "nowhere";
        }

        @Override
        public Map<String, String> properties(int port) {
            return Map.of();
        }
    }
}
