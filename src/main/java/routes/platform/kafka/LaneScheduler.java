package routes.platform.kafka;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Decides which lanes of a partition run: every lane with records, until one fails. A held lane retries alone, and too
 * many of them hold all others. The lock of its dispatcher guards it.
 */
final class LaneScheduler {

    private static final Object WHOLE_PARTITION = new Object();

    private final boolean batching;
    private final HeldLanes held;
    private final Executor workers;
    private final Function<Object, Lane> newLane;
    private final Map<Object, Lane> lanes = new HashMap<>();
    private final Deque<Lane> waiting = new ArrayDeque<>();
    private int running;
    private boolean suspended;

    /**
     * @param maxBatch the most records that an exchange takes; 0 for one record and a lane for each key
     * @param turn handles some records of a lane, on a worker
     */
    LaneScheduler(int maxBatch, HeldLanes held, Executor workers, Consumer<Lane> turn) {
        this.batching = maxBatch > 0;
        this.held = held;
        this.workers = workers;
        this.newLane = batching ? key -> new BatchLane(key, maxBatch, turn) : key -> new KeyLane(key, turn);
    }

    /** Returns the lane for the records of a key, a new one when none has records. */
    Lane lane(Object key) {
        if (batching) {
            return lanes.computeIfAbsent(WHOLE_PARTITION, newLane);
        }
        if (key == null) {
            return newLane.apply(null);
        }
        return lanes.computeIfAbsent(key instanceof byte[] array ? ByteBuffer.wrap(array) : key, newLane);
    }

    boolean mayRun(Lane lane) {
        return !suspended && (held.contains(lane) || !held.holdThePartition());
    }

    /**
     * Marks a lane as running, or queues it until it may run. A held lane is not queued: its retry starts it.
     *
     * @return whether the caller hands it to the workers
     */
    boolean begin(Lane lane) {
        if (mayRun(lane)) {
            lane.running = true;
            running++;
            return true;
        }
        if (!held.contains(lane)) {
            waiting.add(lane);
        }
        return false;
    }

    /** Runs a lane as soon as it may. */
    void schedule(Lane lane) {
        if (begin(lane)) {
            workers.execute(lane);
        }
    }

    void stop(Lane lane) {
        lane.running = false;
        running--;
    }

    /** Stops a lane without records and forgets it. */
    void retire(Lane lane) {
        stop(lane);
        lane.scheduled = false;
        if (lane.key != null) {
            lanes.remove(lane.key);
        }
    }

    /** Starts the held lanes whose backoff is over. */
    void retryDue(long now) {
        if (!suspended && held.count() > 0) {
            held.due(now).forEach(this::schedule);
        }
    }

    void releaseWaiting() {
        while (!waiting.isEmpty() && !suspended && !held.holdThePartition()) {
            schedule(waiting.poll());
        }
    }

    /** Starts no more lanes; those that run complete their exchange. */
    void suspend() {
        suspended = true;
    }

    void resume() {
        suspended = false;
        releaseWaiting();
    }

    void close() {
        suspended = true;
        lanes.clear();
        waiting.clear();
    }

    boolean isSuspended() {
        return suspended;
    }

    /** Returns the number of lanes that run, held or not. */
    int running() {
        return running;
    }
}
