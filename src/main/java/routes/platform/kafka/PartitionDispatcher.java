package routes.platform.kafka;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.FailureClassifier;

/**
 * The records of one partition between their poll and their commit, for one assignment: a partition that comes back gets a new one,
 * so what ends late counts for nothing. Records of a key form a lane, of which one at a time is handled; a lane whose record failed is
 * held and retried by itself. In batches, the whole partition is one lane, of which a batch at a time is handled.
 */
final class PartitionDispatcher {

    private static final Logger LOG = LoggerFactory.getLogger(PartitionDispatcher.class);

    private static final Object WHOLE_PARTITION = new Object();

    /** Records or batches of one lane before a worker looks after other lanes. */
    private static final int TURN = 64;

    private final String name;
    private final int batch;
    private final FailureClassifier failures;
    private final Executor workers;
    private final RecordHandler handler;
    private final LongSupplier nanos;

    private final OffsetWindow window;
    private final Map<Object, Lane> lanes = new HashMap<>();
    private final InFlight inFlight;
    private final HeldLanes held;
    private final Deque<Lane> waiting = new ArrayDeque<>();

    /** Exchanges that ended on some thread: one of these threads at a time books them for all, so that none waits for the lock. */
    private final Queue<Ended> ended = new ConcurrentLinkedQueue<>();

    private final AtomicInteger unbooked = new AtomicInteger();
    private int running;
    private boolean suspended;
    private boolean closed;
    private boolean heldBefore;
    private Throwable unreadable;

    /**
     * @param name of topic, partition and group, for the log
     * @param committed where it begins, or null when nothing is committed
     * @param batch how many records the handler takes at once; 0 when it takes them one by one
     */
    PartitionDispatcher(
            String name,
            OffsetAndMetadata committed,
            ConsumerSettings settings,
            int batch,
            FailureClassifier failures,
            Executor workers,
            RecordHandler handler,
            LongSupplier nanos) {
        this.name = name;
        this.window = new OffsetWindow(committed);
        this.inFlight = new InFlight(settings);
        this.held = new HeldLanes(name, settings, failures, batch > 0 ? 1 : settings.heldKeys());
        this.batch = batch;
        this.failures = failures;
        this.workers = workers;
        this.handler = handler;
        this.nanos = nanos;
    }

    /** Takes a part of what its member may have in flight, so that a partition that waits leaves the others theirs. */
    synchronized void share(int partitions) {
        inFlight.share(partitions);
    }

    void add(List<ConsumerRecord<Object, Object>> records) {
        // handed to the workers after the lock is free: the first of them would otherwise wait for it at once
        take(records).forEach(workers::execute);
    }

    private synchronized List<Lane> take(List<ConsumerRecord<Object, Object>> records) {
        List<Lane> starting = new ArrayList<>();
        long now = nanos.getAsLong();
        for (ConsumerRecord<Object, Object> message : records) {
            OffsetWindow.Entry entry = window.add(message, now);
            if (entry == null) {
                continue;
            }
            inFlight.begin(entry);
            Lane lane = lane(message.key());
            lane.entries.add(entry);
            if (!lane.scheduled) {
                lane.scheduled = true;
                if (mayRun(lane)) {
                    begin(lane);
                    starting.add(lane);
                } else if (!held.contains(lane)) {
                    waiting.add(lane);
                }
            }
        }
        return starting;
    }

    /** Lets the held keys try again whose time has come, and says in the log when the partition is held and when it goes on. */
    synchronized void retry() {
        reportHold();
        if (!suspended && held.count() > 0) {
            held.due(nanos.getAsLong()).forEach(this::start);
        }
    }

    private void reportHold() {
        Optional<Throwable> hold = hold();
        if (hold.isPresent() && !heldBefore) {
            LOG.warn("partition held: {}: {}", name, failures.describe(hold.get()));
        } else if (hold.isEmpty() && heldBefore) {
            LOG.info("partition released: {}", name);
        }
        heldBefore = hold.isPresent();
    }

    /** Starts nothing more; what runs goes on. */
    synchronized void suspend() {
        suspended = true;
    }

    synchronized void resume() {
        suspended = false;
        releaseWaiting();
    }

    /** Waits for what runs and starts nothing more. */
    synchronized void drain(long deadline) throws InterruptedException {
        suspended = true;
        for (long left; running > 0 && (left = deadline - nanos.getAsLong()) > 0; ) {
            TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
        }
        if (running > 0) {
            LOG.info("not waited for any longer: {}, records in flight {}; they come again", name, inFlight.records());
        }
    }

    /** From now on nothing counts. */
    synchronized void close() {
        closed = true;
        suspended = true;
        lanes.clear();
        held.clear();
        waiting.clear();
        window.clear();
        inFlight.clear();
    }

    /** Where a successor has to go on, or null when that is not known. */
    synchronized OffsetAndMetadata position() {
        return window.position();
    }

    /** Everything before this offset is finished, or {@link OffsetWindow#UNKNOWN}. */
    synchronized long finishedUpTo() {
        return window.finishedUpTo();
    }

    /** The offset of the record that has to come next, or {@link OffsetWindow#UNKNOWN}. */
    synchronized long next() {
        return window.next();
    }

    /** @param clientPosition of the client, which passes over offsets without a record; all records before it were added */
    synchronized void reached(long clientPosition) {
        if (!closed) {
            window.reached(clientPosition);
        }
    }

    /** @param why the client cannot read on, or null when it can */
    synchronized void unreadable(Throwable why) {
        unreadable = why;
    }

    /** Whether further records may come. */
    synchronized boolean takesMore() {
        return !suspended && !isFull() && lanesHold().isEmpty();
    }

    /** Why no further record of the partition is taken until a held one succeeds, or can be read; empty when it goes on. */
    synchronized Optional<Throwable> hold() {
        return unreadable != null ? Optional.of(unreadable) : lanesHold();
    }

    private Optional<Throwable> lanesHold() {
        boolean waits = held.holdThePartition() || held.areAllThatRun(running) && isFull();
        return waits ? Optional.of(held.failure()) : Optional.empty();
    }

    private boolean isFull() {
        return inFlight.isFull(window.size());
    }

    /** What an operator has to see to: why the partition is held, or why a dead letter of it cannot be written. */
    synchronized Optional<Throwable> trouble() {
        return hold().or(held::refusedDeadLetter);
    }

    synchronized int heldKeys() {
        return held.count();
    }

    synchronized int inFlight() {
        return inFlight.records();
    }

    synchronized long bytes() {
        return inFlight.bytes();
    }

    /** Bytes in flight beyond its part of what its member may have. */
    synchronized long excess() {
        return inFlight.excess();
    }

    /** How long ago the first unfinished record was read, in nanoseconds. */
    synchronized long age() {
        return window.size() == 0 ? 0 : nanos.getAsLong() - window.first().taken();
    }

    synchronized int windowSize() {
        return window.size();
    }

    private Lane lane(Object key) {
        if (batch > 0) {
            return lanes.computeIfAbsent(WHOLE_PARTITION, this::newLane);
        }
        if (key == null) {
            return newLane(null);
        }
        return lanes.computeIfAbsent(key instanceof byte[] array ? ByteBuffer.wrap(array) : key, this::newLane);
    }

    private Lane newLane(Object key) {
        return new Lane(key, Math.max(1, batch), this::run);
    }

    private boolean mayRun(Lane lane) {
        return !suspended && (held.contains(lane) || !held.holdThePartition());
    }

    private void schedule(Lane lane) {
        if (mayRun(lane)) {
            start(lane);
        } else if (!held.contains(lane)) {
            waiting.add(lane);
        }
    }

    private void start(Lane lane) {
        begin(lane);
        workers.execute(lane);
    }

    private void begin(Lane lane) {
        lane.running = true;
        running++;
    }

    private void stop(Lane lane) {
        lane.running = false;
        running--;
        if (running == 0) {
            notifyAll();
        }
    }

    private void releaseWaiting() {
        while (!waiting.isEmpty() && !suspended && !held.holdThePartition()) {
            start(waiting.poll());
        }
    }

    /** On a worker: a lane's records, until it has none or has to wait, or others have waited for long enough. */
    private void run(Lane lane) {
        for (int i = 0; i < TURN; i++) {
            List<OffsetWindow.Entry> entries = next(lane);
            if (entries == null) {
                return;
            }
            Throwable result = null;
            try {
                if (!handler.handle(
                        messages(entries), lane.unknownFailures, failed -> endedLater(lane, entries, failed))) {
                    return;
                }
            } catch (Throwable e) {
                result = e;
            }
            if (!ended(lane, entries, result)) {
                return;
            }
        }
        workers.execute(lane);
    }

    private static List<ConsumerRecord<Object, Object>> messages(List<OffsetWindow.Entry> entries) {
        return entries.size() == 1
                ? List.of(entries.get(0).record())
                : entries.stream().map(OffsetWindow.Entry::record).toList();
    }

    /** The next records of a lane that runs, one or a batch, or null when it has to wait. */
    private synchronized List<OffsetWindow.Entry> next(Lane lane) {
        if (closed || !mayRun(lane)) {
            stop(lane);
            if (!closed) {
                schedule(lane);
            }
            return null;
        }
        return lane.next(nanos);
    }

    /** @return whether the lane goes on */
    private synchronized boolean ended(Lane lane, List<OffsetWindow.Entry> handled, Throwable failure) {
        if (closed) {
            stop(lane);
            return false;
        }
        if (failure != null && handled.size() > 1) {
            FailedRecordInBatchException known = failures.find(failure, FailedRecordInBatchException.class);
            if (known != null || !failures.isDependencyDown(failure)) {
                lane.split(handled.size(), known);
                return true;
            }
        }
        if (failure != null) {
            stop(lane);
            held.hold(lane, failure, nanos.getAsLong());
            return false;
        }
        for (OffsetWindow.Entry entry : handled) {
            lane.entries.poll();
            inFlight.end(entry);
            window.finish(entry);
        }
        lane.succeeded(nanos);
        boolean more = !lane.entries.isEmpty();
        if (!more) {
            stop(lane);
            lane.scheduled = false;
            if (lane.key != null) {
                lanes.remove(lane.key);
            }
        }
        if (held.contains(lane)) {
            held.release(lane, handled.get(0).offset(), nanos.getAsLong());
            releaseWaiting();
        }
        return more;
    }

    private void endedLater(Lane lane, List<OffsetWindow.Entry> entries, Throwable failed) {
        ended.add(new Ended(lane, entries, failed));
        if (unbooked.getAndIncrement() == 0) {
            for (int seen = 1; seen != 0; seen = unbooked.addAndGet(-seen)) {
                bookAll().forEach(workers::execute);
            }
        }
    }

    /** @return the lanes that go on */
    private synchronized List<Lane> bookAll() {
        List<Lane> going = new ArrayList<>();
        for (Ended next; (next = ended.poll()) != null; ) {
            if (ended(next.lane, next.entries, next.failure)) {
                going.add(next.lane);
            }
        }
        return going;
    }

    private record Ended(Lane lane, List<OffsetWindow.Entry> entries, Throwable failure) {}
}
