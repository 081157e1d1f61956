package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static routes.RunningImage.LIVE;
import static routes.RunningImage.await;
import static routes.RunningImage.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Follows the Dockerfile without Docker, and starts the runtime as it says, against real servers. */
class ImageIT {

    private static final Path JAR = Path.of(System.getProperty("runtime.jar"));
    private static final long MAX_JAR_BYTES = 110L << 20;
    private static final String CREATED = "medication.prescription.created";
    private static final String EVENTS = "/api/topics/" + CREATED + "/events";
    private static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";
    private static final Duration SHUTDOWN = Duration.ofSeconds(30);
    private static final int TERMINATED = 128 + 15;

    private static Image image;
    private static RunningImage runtime;

    private final String id = "rx-" + UUID.randomUUID();
    private final String patient = "patient-" + UUID.randomUUID();

    @BeforeAll
    static void startOnce() throws Exception {
        image = new Image(Path.of("target", "image"));
        runtime = run().awaitReady();
    }

    @AfterAll
    static void stop() {
        if (runtime != null) {
            runtime.close();
        }
    }

    @Test
    void isReadyOnlyWhenCamelHasStarted() {
        assertThat(runtime.answersBeforeReady()).contains(503);
        assertThat(runtime.outputWith("Apache Camel", "started in")).hasSize(1);
        JsonNode health = json(runtime.management(RunningImage.READY).body());
        assertThat(health.at("/components/routes/details/camel").asText()).isEqualTo("Started");
    }

    @Test
    void publishesAnEventThatBecomesAnOrder() {
        HttpResponse<String> answer = runtime.post(EVENTS, JSON, prescription(id, "Amoxicilline à 500 mg"));

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(awaitOrders(1).at("/0/prescription/medication/name").asText())
                .isEqualTo("Amoxicilline à 500 mg");
    }

    @Test
    void usesItsLivenessAsHealthCheck() {
        assertThat(healthCheck("http://127.0.0.1:9876" + LIVE))
                .isEqualTo(image.dockerfile().theOneOfImage("HEALTHCHECK").command());
        assertThat(runtime.management(LIVE).statusCode()).isEqualTo(200);
    }

    @Test
    void reportsHealthByTheExitCode() throws Exception {
        assumeThat(which("wget")).as("wget, which the base image has").isZero();

        assertThat(exitCode(healthCheck(runtime.managementUri(LIVE).toString())))
                .isZero();
        assertThat(exitCode(healthCheck(
                        runtime.managementUri("/observe/health/none").toString())))
                .isNotZero();
    }

    @Test
    void countsTheExchangesOfEachRoute() {
        runtime.post(EVENTS, JSON, prescription(id, "Amoxicilline"));

        assertThat(runtime.management("/observe/metrics").body().lines())
                .anyMatch(line -> line.startsWith("camel_exchanges_total{")
                        && line.contains("routeId=\"pubsub-publish\"")
                        && !line.endsWith(" 0.0"));
    }

    @Test
    void logsJsonWithCorrelationIdsAndWithoutPayload() {
        String secret = "Zebraquine" + UUID.randomUUID();
        String correlationId = "visit-" + UUID.randomUUID();
        runtime.post(EVENTS, JSON, prescription(id, secret), "X-Correlation-Id", correlationId);
        runtime.post(EVENTS, JSON, "{\"id\": \"" + secret, "X-Correlation-Id", correlationId);
        runtime.post(EVENTS, JSON, "{\"id\":\"x\",\"" + secret + "\":\"" + secret + "\"}");
        runtime.post(
                EVENTS, NDJSON, prescription(id + "-2", secret) + "\n{\"" + secret + "\n{\"id\":\"" + secret + "\"}");
        runtime.post(EVENTS, "text/plain", secret);
        runtime.post(EVENTS, JSON, prescription(id, secret + "x".repeat(2_000_000)));
        runtime.post(EVENTS, JSON, prescription(id, secret), "X-Unknown", secret, "kafka.KEY", secret);
        // enough records that this instance reads some, in any assignment of partitions
        for (int i = 0; i < 30; i++) {
            RuntimeIT.send(
                    CREATED,
                    id + "-poison-" + i,
                    RuntimeIT.bytes("{\"metadata\":{\"" + secret + "\":1},\"payload\":\"" + secret),
                    Map.of("correlation-id", correlationId, "x-note", secret));
        }

        await().untilAsserted(() -> assertThat(runtime.outputWith("\"correlation-id\":\"" + correlationId + "\""))
                .isNotEmpty());
        awaitOrders(2);
        List<String> lines = runtime.output();
        assertThat(lines.subList(0, lines.size() - 1))
                .allSatisfy(line ->
                        assertThat(json(line).path("@timestamp").asText()).isNotEmpty());
        assertThat(runtime.outputWith("Zebraquine")).isEmpty();
        assertThat(runtime.errors()).allMatch(line -> line.startsWith("Picked up JAVA_TOOL_OPTIONS"));
    }

    @Test
    void startsWithoutWarnings() {
        assertThat(runtime.outputWith("\"thread\":{\"name\":\"main\"}"))
                .map(RunningImage::json)
                // another test may leave this on the shared broker
                .filteredOn(line -> !line.path("message").asText().startsWith("topic drift"))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line.at("/log/level").asText())
                        .as(line.path("message").asText())
                        .isEqualTo("INFO"));
    }

    @Test
    void answersRequestsInFlightBeforeItStops() throws Exception {
        RunningImage terminated = run().awaitReady();
        ExecutorService clients = Executors.newFixedThreadPool(3);
        AtomicInteger answered = new AtomicInteger();
        try {
            OpenStream stream = new OpenStream(terminated);
            stream.send(prescription(id + "-stream-1", "Amoxicilline"));
            List<Future<Set<String>>> posted = IntStream.range(0, 2)
                    .mapToObj(client -> clients.submit(postUntilRefused(terminated, id + "-" + client, answered)))
                    .toList();
            await().until(() -> answered.get() > 10);

            terminated.terminate();
            Set<String> accepted = new HashSet<>();
            for (Future<Set<String>> ids : posted) {
                accepted.addAll(ids.get());
            }
            // the runtime accepts no new request now, and this one continues
            stream.send(prescription(id + "-stream-2", "Amoxicilline"));
            JsonNode receipt = stream.end();
            int exitCode = terminated.awaitExit(SHUTDOWN);

            assertThat(receipt.path("accepted").asInt()).isEqualTo(2);
            assertThat(exitCode).isIn(0, TERMINATED);
            accepted.addAll(Set.of(id + "-stream-1", id + "-stream-2"));
            assertThat(RuntimeIT.records(CREATED).stream()
                            .map(record -> RuntimeIT.text(record.key()))
                            .collect(Collectors.toSet()))
                    .containsAll(accepted);
            // a request without an answer may still have published its event
            await().untilAsserted(
                            () -> assertThat(json(runtime.get("/api/pharmacy-orders?limit=500&patientId=" + patient)
                                                    .body())
                                            .findValuesAsText("prescriptionId"))
                                    .containsAll(accepted)
                                    .doesNotHaveDuplicates());
        } finally {
            clients.shutdownNow();
            terminated.close();
        }
    }

    @Test
    @Tag("faults")
    void stopsInTimeDespiteAnEndlessRequest() throws Exception {
        try (RunningImage terminated = run().awaitReady()) {
            OpenStream stream = new OpenStream(terminated);
            stream.send(prescription(id, "Amoxicilline"));
            stream.send("{");
            await().untilAsserted(() -> assertThat(terminated.outputWith("DispatcherServlet", "Completed"))
                    .hasSizeGreaterThan(1));

            terminated.terminate();

            assertThat(terminated.awaitExit(SHUTDOWN)).isIn(0, TERMINATED);
        }
    }

    @Test
    void namesFileAndLineOfAnInvalidRouteAndExits() throws IOException {
        Path file = Path.of("src/test/resources/invalid/unknown-step.camel.yaml");
        try (RunningImage invalid = image.run(
                RunningImage.environment(RuntimeIT.SERVERS),
                "--camel.main.routes-include-pattern=file:" + file.toAbsolutePath())) {

            assertThat(invalid.awaitExit(Duration.ofMinutes(2))).isEqualTo(1);
            assertThat(invalid.outputWith("unknown-step.camel.yaml:6:11: Unknown node id: lgo"))
                    .isNotEmpty();
        }
    }

    @Test
    void runsAsANumberedUserThatOwnsNothing() {
        assertThat(image.dockerfile().theOneOfImage("USER").arguments()).matches("[1-9]\\d*:[1-9]\\d*");
        assertThat(image.dockerfile().ofImage("COPY"))
                .noneMatch(copy -> copy.arguments().contains("--chown"));
    }

    @Test
    void startsTheJvmWithoutAShellInBetween() {
        List<String> command = image.dockerfile().theOneOfImage("ENTRYPOINT").command();

        assertThat(command.get(0)).isEqualTo("java");
        assertThat(command).contains("-Dfile.encoding=UTF-8");
        assertThat(command)
                .as("one record that does not fit into the heap would end every instance in turn")
                .doesNotContain("-XX:+ExitOnOutOfMemoryError");
    }

    @Test
    void keepsTheApplicationApartFromItsLibraries() throws IOException {
        List<String> files = image.files();

        assertThat(files).filteredOn(file -> !file.startsWith("app/lib/")).containsExactly("app/event-broker.jar");
        try (ZipFile jar = new ZipFile(JAR.toFile())) {
            assertThat(files.stream().filter(file -> file.startsWith("app/lib/")))
                    .hasSameSizeAs(jar.stream()
                            .filter(entry -> entry.getName().matches("BOOT-INF/lib/.+"))
                            .toList());
        }
        assertThat(Files.size(Path.of("target/image/image/app/event-broker.jar")))
                .as("what a new version adds to a registry")
                .isLessThan(2L << 20);
    }

    @Test
    void copiesOnlyFilesThatDockerignoreAllows() throws IOException {
        List<String> seen = Files.readAllLines(Path.of(".dockerignore"));
        assertThat(seen).contains("*");
        image.dockerfile().instructions().stream()
                .filter(instruction -> instruction.keyword().equals("COPY")
                        && !instruction.arguments().startsWith("--from="))
                .flatMap(copy -> {
                    List<String> words = List.of(copy.arguments().split(" "));
                    return words.subList(0, words.size() - 1).stream();
                })
                .forEach(source -> {
                    assertThat(Path.of(source)).exists();
                    assertThat(seen).contains("!" + source.split("/")[0]);
                });
    }

    @Test
    void isSmallAndHasNoUnusedTools() throws IOException {
        Pattern unwanted = Pattern.compile(
                "net/sourceforge/plantuml/.*|net/sf/saxon/.*|org/apache/jena/.*"
                        + "|org/hl7/fhir/(dstu2|dstu2016may|dstu3|r4b|r5)/.*|ca/uhn/fhir/model/dstu2/.*|sandbox/.*|org/junit/.*");
        List<String> found = new ArrayList<>();
        try (ZipFile jar = new ZipFile(JAR.toFile())) {
            for (ZipEntry entry : Collections.list(jar.entries())) {
                if (entry.getName().endsWith(".jar")) {
                    try (ZipInputStream library = new ZipInputStream(jar.getInputStream(entry))) {
                        for (ZipEntry e = library.getNextEntry(); e != null; e = library.getNextEntry()) {
                            if (unwanted.matcher(e.getName()).matches()) {
                                found.add(entry.getName() + " " + e.getName());
                            }
                        }
                    }
                } else if (unwanted.matcher(entry.getName().replace("BOOT-INF/classes/", ""))
                        .matches()) {
                    found.add(entry.getName());
                }
            }
        }

        assertThat(found).isEmpty();
        assertThat(Files.size(JAR)).isLessThan(MAX_JAR_BYTES);
    }

    /** Returns the command of the health check with another address. */
    private static List<String> healthCheck(String url) {
        List<String> command =
                new ArrayList<>(image.dockerfile().theOneOfImage("HEALTHCHECK").command());
        command.set(command.size() - 1, url);
        return command;
    }

    private static int which(String program) throws IOException, InterruptedException {
        return exitCode(List.of("sh", "-c", "command -v " + program));
    }

    private static int exitCode(List<String> command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private static RunningImage run() throws IOException {
        return image.run(RunningImage.environment(RuntimeIT.SERVERS));
    }

    /** @return ids of the events that the runtime accepted with 202 */
    private Callable<Set<String>> postUntilRefused(RunningImage to, String prefix, AtomicInteger answered) {
        return () -> {
            Set<String> accepted = new HashSet<>();
            for (int i = 0; i < 200; i++) {
                try {
                    HttpResponse<String> answer = to.post(EVENTS, JSON, prescription(prefix + "-" + i, "Amoxicilline"));
                    if (answer.statusCode() == 503) {
                        // a stopping Tomcat answers so on an open connection
                        return accepted;
                    }
                    assertThat(answer.statusCode()).isEqualTo(202);
                    accepted.add(prefix + "-" + i);
                    answered.incrementAndGet();
                } catch (UncheckedIOException e) {
                    return accepted;
                }
            }
            return accepted;
        };
    }

    private JsonNode awaitOrders(int count) {
        String path = "/api/pharmacy-orders?patientId=" + patient;
        await().untilAsserted(() -> assertThat(json(runtime.get(path).body())).hasSize(count));
        return json(runtime.get(path).body());
    }

    private String prescription(String id, String medication) {
        return "{\"id\":\"%s\",\"patientId\":\"%s\",\"medication\":{\"name\":\"%s\"}}"
                .formatted(id, patient, medication);
    }

    /** Sends the body of a request line by line. */
    private static final class OpenStream {

        private final HttpURLConnection connection;
        private final OutputStream body;

        OpenStream(RunningImage to) throws IOException {
            connection = (HttpURLConnection) to.uri(EVENTS).toURL().openConnection();
            connection.setRequestMethod("POST");
            connection.setRequestProperty("Authorization", to.authorization());
            connection.setRequestProperty("Content-Type", NDJSON);
            connection.setDoOutput(true);
            connection.setChunkedStreamingMode(0);
            body = connection.getOutputStream();
        }

        void send(String line) throws IOException {
            body.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            body.flush();
        }

        JsonNode end() throws IOException {
            body.close();
            return json(new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
