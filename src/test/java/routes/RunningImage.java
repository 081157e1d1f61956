package routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import sandbox.Servers;
import sandbox.Tokens;

/** Runs the runtime as a process and sees it from outside: HTTP, output, signals, exit code. */
public final class RunningImage implements AutoCloseable {

    static final String READY = "/observe/health/ready";
    static final String LIVE = "/observe/health/live";

    /** The longest time for a start, or for a start that fails. */
    static final Duration START = Duration.ofMinutes(5);

    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

    private static final Pattern HEAP = Pattern.compile("jvm_memory_used_bytes\\{.*area=\"heap\".*} (\\S+)");

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final Process process;
    private final Path directory;
    private final Tokens tokens;
    private final List<Integer> answersBeforeReady = new ArrayList<>();
    private volatile List<Integer> open = List.of();

    /**
     * @param directory holds standard output and errors
     * @param environment of the process; names the token issuer
     */
    public RunningImage(Process process, Path directory, Map<String, String> environment) {
        this.process = process;
        this.directory = directory;
        this.tokens = new Tokens(environment.get("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI"));
    }

    /** Returns the environment of compose.yaml for the servers of the tests, with free ports. */
    public static Map<String, String> environment(Servers servers) {
        Map<String, String> properties = new HashMap<>(servers.properties());
        properties.putAll(Map.of(
                "server.port", "0",
                "server.address", "127.0.0.1",
                "management.server.port", "0",
                "management.server.address", "127.0.0.1"));
        Map<String, String> environment = new HashMap<>();
        properties.forEach((name, value) -> environment.put(variable(name), value));
        return environment;
    }

    /** Spring finds the entries of a map only by variables without the hyphens. */
    private static String variable(String property) {
        String known = property.startsWith("event-broker.fhir.") ? property.replace("-", "") : property;
        return known.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_");
    }

    /** Polls the readiness from the start until it is 200. */
    public RunningImage awaitReady() {
        await().atMost(START).pollInterval(Duration.ofMillis(10)).until(() -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("ended with " + process.exitValue() + ": " + output());
            }
            if (ports().size() < 2) {
                return false;
            }
            int status = management(READY).statusCode();
            if (status == 200) {
                return true;
            }
            answersBeforeReady.add(status);
            return false;
        });
        return this;
    }

    /** Returns the statuses of {@code /observe/health/ready} before the first 200. */
    List<Integer> answersBeforeReady() {
        return answersBeforeReady;
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + ports().get(0) + path);
    }

    URI managementUri(String path) {
        return URI.create("http://127.0.0.1:" + ports().get(1) + path);
    }

    /** Returns the token of the client {@code sandbox}. */
    String authorization() {
        return tokens.sandbox();
    }

    /** Begins a request with the token of the client {@code sandbox}. */
    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).header("Authorization", authorization());
    }

    public HttpResponse<String> get(String path, String... headers) {
        HttpRequest.Builder request = request(path);
        return exchange(headers.length == 0 ? request : request.headers(headers));
    }

    public HttpResponse<String> post(String path, String contentType, String body, String... headers) {
        HttpRequest.Builder request =
                request(path).header("Content-Type", contentType).POST(HttpRequest.BodyPublishers.ofString(body));
        return exchange(headers.length == 0 ? request : request.headers(headers));
    }

    public HttpResponse<String> management(String path) {
        return exchange(HttpRequest.newBuilder(managementUri(path)));
    }

    /**
     * Sends a request and waits for the answer, at most one minute.
     *
     * @throws UncheckedIOException without an answer
     */
    public static HttpResponse<String> exchange(HttpRequest.Builder request) {
        return exchange(request, HttpResponse.BodyHandlers.ofString());
    }

    static <T> HttpResponse<T> exchange(HttpRequest.Builder request, HttpResponse.BodyHandler<T> body) {
        try {
            return CLIENT.send(request.timeout(Duration.ofMinutes(1)).build(), body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Returns the live heap in MiB after a collection. */
    public long heapMegabytes() throws IOException, InterruptedException {
        new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(process.pid()),
                        "GC.run")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        Matcher used = HEAP.matcher(management("/observe/metrics").body());
        double sum = 0;
        while (used.find()) {
            sum += Double.parseDouble(used.group(1));
        }
        return (long) (sum / (1 << 20));
    }

    /** Returns the lines of standard output; the last line may be incomplete while the process runs. */
    List<String> output() {
        return lines("stdout");
    }

    /** Returns the complete lines that contain all of these parts. */
    List<String> outputWith(String... parts) {
        return output().stream()
                .filter(line -> Stream.of(parts).allMatch(line::contains) && line.endsWith("}"))
                .toList();
    }

    List<String> errors() {
        return lines("stderr");
    }

    /** Sends SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /**
     * Waits for the end of the process.
     *
     * @return exit code
     * @throws IllegalStateException after the time limit
     */
    public int awaitExit(Duration atMost) {
        try {
            if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("still running after " + atMost);
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        terminate();
        try {
            awaitExit(Duration.ofSeconds(60));
        } finally {
            process.destroyForcibly();
        }
    }

    static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(200));
    }

    static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the open ports: the API, then the management endpoints. */
    private List<Integer> ports() {
        List<Integer> known = open;
        if (known.size() == 2) {
            return known;
        }
        List<Integer> ports = new ArrayList<>();
        for (String line : output()) {
            Matcher port = PORT.matcher(line);
            if (port.find()) {
                ports.add(Integer.valueOf(port.group(1)));
            }
        }
        open = ports;
        return ports;
    }

    private List<String> lines(String file) {
        try {
            return new String(Files.readAllBytes(directory.resolve(file)), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
