package routes.platform.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.stereotype.Component;

/**
 * Keeps one client from using all processors: runs a few of its requests at a time and queues the next ones on their
 * threads. A request that waits for something else releases its permit meanwhile.
 */
@Component
class ClientBulkhead {

    /** Keeps a processor busy while some of the requests wait for the database. */
    private static final int PER_PROCESSOR = 4;

    private static final int MIN_CONCURRENT = 8;
    private static final Duration MAX_WAIT = Duration.ofSeconds(2);

    /** Queued requests per running one: each of them holds a thread that others then lack. */
    private static final int QUEUED_PER_PERMIT = 2;

    /** Has an entry for each client with requests in flight. */
    private final Map<ClientKey, Permits> clients = new HashMap<>();

    private final int maxConcurrent =
            Math.max(MIN_CONCURRENT, PER_PROCESSOR * Runtime.getRuntime().availableProcessors());

    int maxConcurrent() {
        return maxConcurrent;
    }

    /** Waits for a permit; false when the client's queue is full or none of its requests ends in time. */
    boolean tryAcquire(ClientKey client) {
        Permits permits;
        synchronized (clients) {
            permits = clients.computeIfAbsent(client, c -> new Permits(maxConcurrent));
            if (permits.getQueueLength() >= QUEUED_PER_PERMIT * maxConcurrent) {
                return false;
            }
            permits.requests++;
        }
        boolean acquired = false;
        try {
            acquired = permits.tryAcquire(MAX_WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!acquired) {
            forget(client, permits);
        }
        return acquired;
    }

    void release(ClientKey client) {
        Permits permits = permits(client);
        permits.release();
        forget(client, permits);
    }

    /** Gives the permit of a request to the next one while this one waits for something else. */
    void pause(ClientKey client) {
        Permits permits = permits(client);
        if (permits != null) {
            permits.release();
        }
    }

    /** Takes the permit back immediately, even when that makes one more than the limit. */
    void resume(ClientKey client) {
        Permits permits = permits(client);
        if (permits != null) {
            permits.acquireBeyondLimit();
        }
    }

    private Permits permits(ClientKey client) {
        synchronized (clients) {
            return clients.get(client);
        }
    }

    private void forget(ClientKey client, Permits permits) {
        synchronized (clients) {
            if (--permits.requests == 0) {
                clients.remove(client);
            }
        }
    }

    private static final class Permits extends Semaphore {

        private int requests;

        Permits(int permits) {
            super(permits, true);
        }

        void acquireBeyondLimit() {
            reducePermits(1);
        }
    }
}
