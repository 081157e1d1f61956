package routes.platform.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.stereotype.Component;

/**
 * Lets a few requests of a client run at a time, and its others wait for their turn on their threads, so that the processors are not busy with
 * one client alone. A request that waits for something else meanwhile leaves its turn to the next.
 */
@Component
class Turns {

    /** What a processor is busy with while others wait for the database. */
    private static final int PER_PROCESSOR = 4;

    private static final int LEAST = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** For each that runs: whoever waits has a thread, which others would have to do without. */
    private static final int BEHIND = 2;

    /** Of the clients that have requests under way. */
    private final Map<Client, Line> lines = new HashMap<>();

    private final int atOnce =
            Math.max(LEAST, PER_PROCESSOR * Runtime.getRuntime().availableProcessors());

    int atOnce() {
        return atOnce;
    }

    /** Waits for the turn of a request; false when it does not come, as none of the client's ends, or too many of them wait before it. */
    boolean enter(Client client) {
        Line line;
        synchronized (lines) {
            line = lines.computeIfAbsent(client, c -> new Line(atOnce));
            if (line.getQueueLength() >= BEHIND * atOnce) {
                return false;
            }
            line.requests++;
        }
        boolean entered = false;
        try {
            entered = line.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!entered) {
            forget(client, line);
        }
        return entered;
    }

    void leave(Client client) {
        Line line = line(client);
        line.release();
        forget(client, line);
    }

    /** Leaves the turn to the next, for as long as the request waits for something else. */
    void pause(Client client) {
        Line line = line(client);
        if (line != null) {
            line.release();
        }
    }

    /** Goes on, without a wait for a turn. */
    void resume(Client client) {
        Line line = line(client);
        if (line != null) {
            line.takeAnyway();
        }
    }

    private Line line(Client client) {
        synchronized (lines) {
            return lines.get(client);
        }
    }

    private void forget(Client client, Line line) {
        synchronized (lines) {
            if (--line.requests == 0) {
                lines.remove(client);
            }
        }
    }

    private static final class Line extends Semaphore {

        private int requests;

        Line(int places) {
            super(places, true);
        }

        void takeAnyway() {
            reducePermits(1);
        }
    }
}
