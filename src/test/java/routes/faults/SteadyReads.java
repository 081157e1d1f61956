package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import routes.RunningImage;

/** Reads at a steady rate, whatever the answers take, and measures each read from when it was due. */
final class SteadyReads implements AutoCloseable {

    static final Duration FAST = Duration.ofMillis(100);

    private static final int PER_SECOND = 20;
    private static final int WARM_UP = 300;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final HttpClient client = HttpClient.newHttpClient();
    private final RunningImage runtime;
    private final String path;
    private final String authorization;
    private final List<CompletableFuture<Long>> reads = Collections.synchronizedList(new ArrayList<>());
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    /** Warms the runtime up. */
    SteadyReads(RunningImage runtime, String path, String authorization) throws Exception {
        this.runtime = runtime;
        this.path = path;
        this.authorization = authorization;
        for (int i = 0; i < WARM_UP; i++) {
            read().get();
        }
    }

    void start() {
        timer.scheduleAtFixedRate(() -> reads.add(read()), 0, 1_000_000 / PER_SECOND, TimeUnit.MICROSECONDS);
    }

    /** Sorted durations in milliseconds. */
    record Durations(List<Long> millis) {

        long p99() {
            return millis.get(millis.size() * 99 / 100);
        }

        @Override
        public String toString() {
            return "%d reads of another client, p50 %d ms, p99 %d ms, longest %d ms"
                    .formatted(millis.size(), millis.get(millis.size() / 2), p99(), millis.get(millis.size() - 1));
        }
    }

    /** Waits for the answers to all reads. */
    Durations stop() throws Exception {
        timer.shutdown();
        assertThat(timer.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        List<Long> millis = new ArrayList<>();
        for (CompletableFuture<Long> one : reads) {
            millis.add(one.get());
        }
        Collections.sort(millis);
        return new Durations(millis);
    }

    private CompletableFuture<Long> read() {
        long began = System.nanoTime();
        HttpRequest request = HttpRequest.newBuilder(runtime.uri(path))
                .header("Authorization", authorization)
                .timeout(PATIENCE)
                .build();
        return client.sendAsync(request, HttpResponse.BodyHandlers.ofString()).thenApply(answer -> {
            assertThat(answer.statusCode()).isEqualTo(200);
            return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
        });
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
