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

/** The runtime as a process of its own, seen from outside: HTTP, what it prints, signals, its exit code. */
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
     * @param directory has its standard output and errors
     * @param environment of the process, which names its token issuer
     */
    public RunningImage(Process process, Path directory, Map<String, String> environment) {
        this.process = process;
        this.directory = directory;
        this.tokens = new Tokens(environment.get("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI"));
    }

    /** What compose.yaml sets, for the servers of the tests, and free ports on the loopback address. */
    public static Map<String, String> environment(Servers servers) {
        Map<String, String> properties = new HashMap<>(servers.properties());
        properties.putAll(Map.of(
                "server.port", "0",
                "server.address", "127.0.0.1",
                "management.server.port", "0",
                "management.server.address", "127.0.0.1"));
        Map<String, String> environment = new HashMap<>();
        properties.forEach(
                (name, value) -> environment.put(name.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_"), value));
        return environment;
    }

    /** Asks, from the first moment on, whether it is ready, until it is. */
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

    /** What {@code /observe/health/ready} answered until it said 200. */
    List<Integer> answersBeforeReady() {
        return answersBeforeReady;
    }

    public URI uri(String path) {
        return URI.create("http://127.0.0.1:" + ports().get(0) + path);
    }

    URI managementUri(String path) {
        return URI.create("http://127.0.0.1:" + ports().get(1) + path);
    }

    /** Of the client {@code sandbox}. */
    String authorization() {
        return tokens.sandbox();
    }

    /** A request with the token of the client {@code sandbox}, to be completed. */
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
     * Sends any request and waits for the answer, a minute at most.
     *
     * @throws UncheckedIOException when there is none
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

    /** What is alive of the heap after a collection. */
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

    /** The lines of its standard output, of which the last may be incomplete while it runs. */
    List<String> output() {
        return lines("stdout");
    }

    /** Those of its complete lines that contain all of these. */
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
     * Waits for its end.
     *
     * @return exit code
     * @throws IllegalStateException when it takes longer
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

    /** Of the API, then of the management endpoints, as far as they are open yet. */
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
