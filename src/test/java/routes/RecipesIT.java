package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.RunningImage.await;
import static routes.RunningImage.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.util.FileSystemUtils;
import sandbox.Servers;

/**
 * Follows the README and the recipes of the docs as they are written. The recipes change a copy of the project, whose
 * runtime then replaces the unchanged one, on servers that have had events.
 */
class RecipesIT {

    private static final Path DIRECTORY = Path.of("target", "recipes").toAbsolutePath();
    private static final Path PROJECT = DIRECTORY.resolve("project");
    private static final Set<String> NOT_COPIED = Set.of("target", ".git", "node_modules");

    /** Knows which files the formatter has seen, so that it looks at the edited ones only. */
    private static final Path FORMATTED = Path.of("target", "spotless-index");

    private static final Pattern TEST = Pattern.compile("\\./mvnw test -Dtest='?([\\w,]+)'?\\s*");

    private static final String EVENTS = "/api/topics/medication.prescription.%s/events";
    private static final String PRESCRIPTION =
            "{\"id\":\"%s\",\"patientId\":\"patient-1\",\"medication\":{\"name\":\"Metformin 500 MG\"}%s}";

    /** Patients refer to hospitals and practitioners. */
    private static final List<String> SAMPLES = List.of(
            "src/test/resources/synthea/hospitals.json",
            "src/test/resources/synthea/practitioners.json",
            "src/test/resources/synthea/patient-sherita.json");

    private static final String FHIR = "application/fhir+json";

    private static Servers servers;
    private static RunningImage runtime;

    private static Recipe topic;
    private static Recipe consumer;
    private static Recipe schema;
    private static Recipe fhir;

    @BeforeAll
    static void followTheRecipes() throws Exception {
        FileSystemUtils.deleteRecursively(DIRECTORY);
        copyProject();
        topic = Recipe.of("docs/add-a-topic.md");
        consumer = Recipe.of("docs/add-a-consumer.md");
        schema = Recipe.of("docs/change-a-schema.md");
        fhir = Recipe.ofSection("docs/patterns/fhir.md", "How to change it");
        List<Recipe> recipes = List.of(topic, consumer, schema, fhir);
        for (Recipe recipe : recipes) {
            for (Recipe.Step step : recipe.steps()) {
                if (step.isEdit()) {
                    step.edit(PROJECT);
                }
            }
        }
        test(recipes);

        servers = Servers.own("recipes-servers");
        servers.fhirServer();
        try (RunningImage before = start("before", Path.of("target", "classes"))) {
            before.awaitReady();
            assertThat(post(before, EVENTS.formatted("created"), PRESCRIPTION.formatted("rx-before", ",\"refills\":2")))
                    .isEqualTo(202);
            assertThat(post(before, EVENTS.formatted("created"), PRESCRIPTION.formatted("rx-other", "")))
                    .isEqualTo(202);
            assertThat(post(before, EVENTS.formatted("cancelled"), PRESCRIPTION.formatted("rx-before", "")))
                    .isEqualTo(404);
            assertThat(post(
                            before,
                            "/api/patients/patient-1/events",
                            "{\"type\":\"patient.profile.created\",\"data\":{\"firstName\":\"Zoë\"}}"))
                    .isEqualTo(202);
            for (String bundle : SAMPLES) {
                assertThat(before.post("/fhir", FHIR, Files.readString(Path.of(bundle)))
                                .statusCode())
                        .as(bundle)
                        .isEqualTo(200);
            }
            followTheReadme(before);
            assertThat(run(requests(fhir).get(0).text())).contains("the operation is closed");
        }
        runtime = start("after", PROJECT.resolve("target/classes"));
        runtime.awaitReady();
    }

    /** Runs the commands of the recipes, then builds the copy once and runs all their tests. */
    private static void test(List<Recipe> recipes) throws Exception {
        Set<String> tests = new TreeSet<>();
        for (Recipe recipe : recipes) {
            for (Recipe.Step step : recipe.steps()) {
                if (step.isCommand() && !step.isRequest()) {
                    Matcher test = TEST.matcher(step.text());
                    if (test.matches()) {
                        tests.addAll(List.of(test.group(1).split(",")));
                    } else {
                        run(step.text());
                    }
                }
            }
        }
        assertThat(tests).hasSizeGreaterThanOrEqualTo(recipes.size());
        run("./mvnw test -Dtest.jvms=1 -Dtest=" + String.join(",", tests));
    }

    @AfterAll
    static void stop() {
        try {
            if (runtime != null) {
                runtime.close();
            }
        } finally {
            if (servers != null) {
                servers.close();
            }
        }
    }

    @Test
    void addingATopicCancelsTheOrder() throws Exception {
        List<Recipe.Step> requests = requests(topic);

        String published = run(requests.get(0).text());

        assertThat(published.lines()).hasSize(2).allMatch(answer -> answer.contains("\"eventId\":"));
        await().untilAsserted(() -> assertThat(json(run(requests.get(1).text())))
                .filteredOn(order -> order.path("prescriptionId").asText().equals("rx-1"))
                .extracting(order -> order.path("status").asText())
                .containsExactly("cancelled"));
        assertThat(post(runtime, EVENTS.formatted("cancelled"), PRESCRIPTION.formatted("rx-2", "")))
                .as("a cancellation that does not say so")
                .isEqualTo(400);
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", servers.properties().get("camel.component.kafka.brokers")))) {
            assertThat(admin.listTopics().names().get())
                    .contains("medication.prescription.cancelled", "medication.prescription.cancelled.dlq");
        }
    }

    @Test
    void addingAConsumerCountsFromTheBeginning() throws Exception {
        List<Recipe.Step> requests = requests(consumer);

        assertThat(run(requests.get(0).text())).contains("\"eventId\":");

        // the one of the recipe, and the one that was there before
        await().untilAsserted(() -> assertThat(run(requests.get(1).text()))
                .startsWith("refillable_prescriptions_total{")
                .endsWith(" 2.0\n"));
    }

    @Test
    void changingASchemaAddsAFieldAndReadsOlderEvents() throws Exception {
        List<Recipe.Step> requests = requests(schema);

        assertThat(run(requests.get(0).text())).contains("\"offset\":");

        await().untilAsserted(() -> assertThat(json(run(requests.get(1).text())))
                .extracting(event -> event.path("data").toString())
                .containsExactly("{\"firstName\":\"Zoë\"}", "{\"preferredName\":\"Zee\"}"));
        JsonNode versions = json(RunningImage.exchange(
                        HttpRequest.newBuilder(URI.create(servers.properties().get("event-broker.schema-registry.url")
                                + "/subjects/patient-events-value/versions")))
                .body());
        assertThat(versions.toString()).isEqualTo("[1,2]");
    }

    @Test
    void openingAnOperationAnswersIt() throws Exception {
        assertThat(json(run(requests(fhir).get(0).text())).path("resourceType").asText())
                .isEqualTo("Parameters");
    }

    @Test
    void addingAStepCountsEachWrite() throws Exception {
        assertThat(runtime.post("/fhir/Patient", FHIR, "{\"resourceType\":\"Patient\"}")
                        .statusCode())
                .isEqualTo(201);

        await().untilAsserted(() -> assertThat(run(requests(fhir).get(1).text()))
                .contains("method=\"POST\"")
                .endsWith(" 1.0\n"));
    }

    /** Runs the README's commands one after the other, and compares their output with what it shows. */
    private static void followTheReadme(RunningImage before) throws IOException, InterruptedException {
        runtime = before;
        await().untilAsserted(() -> assertThat(
                        before.get("/api/pharmacy-orders?limit=1").headers().map())
                .as("a second order")
                .containsKey("link"));
        List<Recipe.Step> steps =
                Recipe.ofSection("README.md", "The first five minutes").steps();
        String token = steps.get(0).text();
        for (int i = 1; i < steps.size(); i++) {
            Recipe.Step step = steps.get(i);
            if (!step.isRequest()) {
                continue;
            }
            String output = run(token + step.text()).replace("\r", "").replaceAll(" +\n", "\n");
            Recipe.Step next = steps.get(i + 1);
            if (next.language().matches("json|text")) {
                assertThat(output).containsPattern(next.shown());
            }
        }
    }

    private static List<Recipe.Step> requests(Recipe recipe) {
        return recipe.steps().stream().filter(Recipe.Step::isRequest).toList();
    }

    private static int post(RunningImage at, String path, String body) {
        return at.post(path, "application/json", body).statusCode();
    }

    /** Runs commands in a shell at the root of the copy, with the addresses of the sandbox replaced. */
    private static String run(String commands) throws IOException, InterruptedException {
        String repository = System.getProperty("maven.repo.local");
        String here = commands.replace(
                        "./mvnw", "./mvnw -o -q -B" + (repository == null ? "" : " -Dmaven.repo.local=" + repository))
                .replace(
                        "http://localhost:8080",
                        runtime == null ? "" : runtime.uri("").toString())
                .replace(
                        "http://localhost:9876",
                        runtime == null ? "" : runtime.managementUri("").toString());
        Path output = Files.createTempFile(DIRECTORY, "run", ".out");
        Path errors = Files.createTempFile(DIRECTORY, "run", ".err");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", "set -o pipefail\n" + here)
                .directory(PROJECT.toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        if (servers != null) {
            builder.environment().put("TOKEN_URL", servers.tokenIssuer().address() + "/oauth2/token");
        }
        Process process = builder.start();
        assertThat(process.waitFor(10, TimeUnit.MINUTES)).as(here).isTrue();
        assertThat(process.exitValue())
                .as("%s%n%s%n%s", here, Files.readString(output), Files.readString(errors))
                .isZero();
        return Files.readString(output);
    }

    private static RunningImage start(String name, Path classes) throws IOException {
        Path directory = Files.createDirectories(DIRECTORY.resolve(name));
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        EventBroker.class.getName())
                .redirectOutput(directory.resolve("stdout").toFile())
                .redirectError(directory.resolve("stderr").toFile());
        builder.environment().put("CLASSPATH", classes.toAbsolutePath() + File.pathSeparator + libraries());
        builder.environment().putAll(RunningImage.environment(servers));
        return new RunningImage(builder.start(), directory, builder.environment());
    }

    /** The class path without what this build has made. */
    private static String libraries() {
        String all = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return Arrays.stream(all.split(File.pathSeparator))
                .filter(entry -> !Path.of(entry)
                        .toAbsolutePath()
                        .startsWith(Path.of("target").toAbsolutePath()))
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static void copyProject() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(""))) {
            for (Path file :
                    files.filter(path -> !NOT_COPIED.contains(path.toString())).toList()) {
                copy(file);
            }
        }
        if (Files.exists(FORMATTED)) {
            copy(FORMATTED);
        }
    }

    private static void copy(Path from) throws IOException {
        if (Files.isDirectory(from)) {
            Files.createDirectories(PROJECT.resolve(from));
            try (Stream<Path> files = Files.list(from)) {
                for (Path file : files.toList()) {
                    if (!NOT_COPIED.contains(file.getFileName().toString())) {
                        copy(file);
                    }
                }
            }
        } else {
            Files.createDirectories(PROJECT.resolve(from).toAbsolutePath().getParent());
            Files.copy(from, PROJECT.resolve(from), StandardCopyOption.COPY_ATTRIBUTES);
        }
    }
}
