package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Changes FHIR resources through several instances with several clients at once, and keeps what the answers say. The
 * clients update some patients together; each deletes only its own.
 */
final class FhirLoad implements AutoCloseable {

    private static final int CLIENTS = 6;
    private static final int PATIENTS = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern VERSION = Pattern.compile("([A-Za-z]+/[^/]+)/_history/([^/]+)$");

    private static final String PATCH = """
            [{"op": "add", "path": "/active", "value": %s}]""";

    /** No answer. */
    private static final int NONE = 0;

    /**
     * A write that was answered with a success.
     *
     * @param versions those that the answer names, such as {@code Patient/1/_history/2}
     */
    record Success(String correlationId, int status, List<String> versions) {}

    final Queue<Success> successes = new ConcurrentLinkedQueue<>();

    /** Counts the writes without an answer, or with one of the runtime that asks for a repetition. */
    final AtomicInteger failed = new AtomicInteger();

    /** Counts the writes that the server has refused, such as one of two at once. */
    final AtomicInteger refused = new AtomicInteger();

    private final String run;
    private final List<Instance> instances;
    private final AtomicInteger sent = new AtomicInteger();
    private final HttpClient http = HttpClient.newHttpClient();
    private final ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
    private final Queue<Throwable> broken = new ConcurrentLinkedQueue<>();
    private volatile boolean stopped;

    /** @param instances ready ones; the list changes while this runs */
    FhirLoad(String run, List<Instance> instances) {
        this.run = run;
        this.instances = instances;
        for (int client = 0; client < CLIENTS; client++) {
            int number = client;
            threads.execute(() -> change(number));
        }
    }

    private void change(int client) {
        Random random = new Random();
        try {
            while (!stopped) {
                send(client, random);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | IOException | AssertionError e) {
            broken.add(e);
        }
    }

    private void send(int client, Random random) throws InterruptedException, IOException {
        int number = sent.incrementAndGet();
        String own = "%s-%d-%d".formatted(run, client, random.nextInt(PATIENTS));
        String ofAll = "%s-all-%d".formatted(run, random.nextInt(PATIENTS));
        Instance instance = instances.get(random.nextInt(instances.size()));
        HttpRequest.Builder request =
                switch (random.nextInt(10)) {
                    case 0, 1 -> request(instance, "PUT", "/Patient/" + own, patient(own, number));
                    case 2 -> request(instance, "PUT", "/Patient/" + ofAll, patient(ofAll, number));
                    // often changes nothing
                    case 3 -> request(instance, "PUT", "/Patient/" + ofAll, patient(ofAll, number % 2));
                    case 4 ->
                        request(instance, "PATCH", "/Patient/" + ofAll, PATCH.formatted(random.nextBoolean()))
                                .setHeader("Content-Type", "application/json-patch+json");
                    case 5 -> request(instance, "POST", "/Basic", basic(number));
                    case 6 ->
                        request(instance, "POST", "/Basic", basic(number % 50))
                                .setHeader("If-None-Exist", "identifier=urn:load|" + run + "-" + number % 50);
                    case 7 -> request(instance, "DELETE", "/Patient/" + own, "");
                    default -> request(instance, "POST", "", transaction(client, random, number));
                };
        String correlationId = run + "-" + number;
        HttpResponse<String> answer;
        try {
            answer = http.send(
                    request.setHeader("X-Correlation-Id", correlationId).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            answer = null;
        }
        keep(correlationId, answer);
        if (answer == null || answer.statusCode() >= 500) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private void keep(String correlationId, HttpResponse<String> answer) throws IOException {
        int status = answer == null ? NONE : answer.statusCode();
        if (status == 200 || status == 201 || status == 204) {
            successes.add(new Success(correlationId, status, versions(answer)));
        } else if (status == NONE || status >= 500) {
            if (status != NONE && !answer.body().contains("HAPI-")) {
                assertThat(status).as(answer.body()).isIn(503, 504);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
            }
            failed.incrementAndGet();
        } else {
            // 410 to the patch of a deleted resource, 409 to one of two changes at once
            assertThat(status).as(answer.body()).isIn(404, 409, 410, 412);
            refused.incrementAndGet();
        }
    }

    private static List<String> versions(HttpResponse<String> answer) throws IOException {
        List<String> locations = new ArrayList<>();
        JsonNode body = answer.body().isEmpty() ? null : new ObjectMapper().readTree(answer.body());
        if (body != null && body.path("resourceType").asText().equals("Bundle")) {
            body.path("entry")
                    .forEach(entry ->
                            locations.add(entry.at("/response/location").asText()));
        } else {
            Stream.of("Content-Location", "Location")
                    .flatMap(name -> answer.headers().firstValue(name).stream())
                    .findFirst()
                    .ifPresent(locations::add);
        }
        List<String> versions = new ArrayList<>();
        for (String location : locations) {
            Matcher version = VERSION.matcher(location);
            if (version.find()) {
                versions.add(version.group());
            }
        }
        return versions;
    }

    private static HttpRequest.Builder request(Instance instance, String method, String path, String body) {
        return instance.runtime
                .request("/fhir" + path)
                .timeout(PATIENCE)
                .setHeader("Content-Type", "application/fhir+json")
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body));
    }

    private static String patient(String id, int number) {
        return """
                {"resourceType": "Patient", "id": "%s", "name": [{"family": "f%d"}]}"""
                .formatted(id, number);
    }

    private String basic(int number) {
        return """
                {"resourceType": "Basic", "identifier": [{"system": "urn:load", "value": "%s-%d"}], "code": {"text": "load"}}"""
                .formatted(run, number);
    }

    private String transaction(int client, Random random, int number) {
        int changed = random.nextInt(PATIENTS);
        String updated = "%s-%d-%d".formatted(run, client, changed);
        String deleted = "%s-%d-%d".formatted(run, client, (changed + 1) % PATIENTS);
        String ofAll = "%s-all-%d".formatted(run, random.nextInt(PATIENTS));
        return """
                {"resourceType": "Bundle", "type": "transaction", "entry": [
                 {"resource": %s, "request": {"method": "PUT", "url": "Patient/%s"}},
                 {"resource": %s, "request": {"method": "PUT", "url": "Patient/%s"}},
                 {"request": {"method": "DELETE", "url": "Patient/%s"}},
                 {"resource": %s, "request": {"method": "POST", "url": "Basic"}},
                 {"resource": %s, "request": {"method": "POST", "url": "Basic"}}]}"""
                .formatted(
                        patient(updated, number),
                        updated,
                        patient(ofAll, number),
                        ofAll,
                        deleted,
                        basic(number),
                        basic(number));
    }

    /** Waits until this many further writes succeed. */
    void awaitSuccesses(int more) {
        int goal = successes.size() + more;
        Patience.whileMoving(successes::size)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> successes.size() >= goal);
    }

    /** Waits until this many further writes fail. */
    void awaitFailures(int more) {
        int goal = failed.get() + more;
        Patience.whileMoving(failed::get).pollInterval(Duration.ofMillis(20)).until(() -> failed.get() >= goal);
    }

    /** Waits for the answers to the last writes. */
    void stop() throws InterruptedException {
        stopped = true;
        threads.shutdown();
        assertThat(threads.awaitTermination(2, TimeUnit.MINUTES)).isTrue();
        assertThat(broken).isEmpty();
    }

    @Override
    public void close() {
        stopped = true;
        threads.shutdownNow();
    }
}
