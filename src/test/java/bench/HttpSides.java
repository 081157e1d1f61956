package bench;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Starts sides that answer HTTP requests, on free ports. */
final class HttpSides {

    private static final long TIMEOUT_NANOS = 120_000_000_000L;
    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

    private HttpSides() {}

    /** @param all names of the bench's sides */
    static SideProcess start(
            String name, Collection<String> all, Class<?> main, Map<String, String> servers, Arguments arguments)
            throws Exception {
        List<String> options = new ArrayList<>();
        servers.forEach((property, value) -> options.add("--" + property + "=" + value));
        options.addAll(List.of(
                "--server.port=0",
                "--management.server.port=0",
                "--server.address=127.0.0.1",
                "--management.server.address=127.0.0.1"));
        options.addAll(arguments.runtime());
        SideSpec spec = new SideSpec(name, Set.of(), Set.of(), false);
        return SideProcess.java(spec, List.of(), arguments.jvmOptions(name, all), main, options);
    }

    /** Returns the port of the API and, where a side has them, of the management endpoints. */
    static List<String> ports(SideProcess side) throws Exception {
        return PORT.matcher(Files.readString(side.log()))
                .results()
                .map(started -> started.group(1))
                .toList();
    }

    /** Waits until the whole runtime is ready. */
    static void awaitReady(SideProcess side) throws Exception {
        HttpClient http = HttpClient.newHttpClient();
        await(side, "it listens", () -> ports(side).size() == 2);
        HttpRequest ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:%s/observe/health/ready"
                        .formatted(ports(side).get(1))))
                .build();
        await(
                side,
                "it is ready",
                () -> http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200);
    }

    /** @throws IllegalStateException when it never happens, or the side ends */
    static void await(SideProcess side, String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (!condition.call()) {
            side.checkAlive();
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(side.name() + ": timed out until " + what + ", see " + side.log());
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }
}
