package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ClientBulkheadTest {

    private final ClientBulkhead bulkhead = new ClientBulkhead();
    private final ClientKey client = new ClientKey("t", "a");
    private final ClientKey other = new ClientKey("t", "b");

    @Test
    void runsAFewRequestsOfAClientAtATime() {
        acquireAll();

        assertThat(bulkhead.tryAcquire(client)).isFalse();
        assertThat(bulkhead.tryAcquire(other)).isTrue();
    }

    @Test
    void givesAReleasedPermitToTheNextInTheQueue() {
        acquireAll();
        CompletableFuture<Boolean> next = CompletableFuture.supplyAsync(() -> bulkhead.tryAcquire(client));
        bulkhead.release(client);

        assertThat(next.join()).isTrue();
    }

    @Test
    void runsAnotherRequestDuringAPause() {
        acquireAll();
        bulkhead.pause(client);

        assertThat(bulkhead.tryAcquire(client)).isTrue();
    }

    @Test
    void resumesAPausedRequestAtOnce() {
        acquireAll();
        bulkhead.pause(client);
        assertThat(bulkhead.tryAcquire(client)).isTrue();
        bulkhead.resume(client);
        bulkhead.release(client);

        assertThat(bulkhead.tryAcquire(client))
                .as("one request above the limit still runs")
                .isFalse();
        bulkhead.release(client);
        assertThat(bulkhead.tryAcquire(client)).isTrue();
    }

    private void acquireAll() {
        for (int i = 0; i < bulkhead.maxConcurrent(); i++) {
            assertThat(bulkhead.tryAcquire(client)).isTrue();
        }
    }
}
