package routes.platform.kafka;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * The records of one partition between their poll and their commit, for one assignment: a partition that comes back gets a new one,
 * so what ends late counts for nothing. Records of a key form a lane, of which one at a time is handled; a lane whose record failed is
 * held and retried by itself. The position is behind the longest run of finished records from the start, whatever is finished beyond.
 */
final class PartitionWork {

    /** Finished records behind an unfinished one cost only a number, but all of them are read again after a crash. */
    private static final int WINDOW = 10;

    /** Records of one lane before a worker looks after other lanes. */
    private static final int TURN = 64;

    private final ConsumerSettings settings;
    private final Executor workers;
    private final RecordHandler handler;
    private final LongSupplier nanos;

    private final Deque<Entry> window = new ArrayDeque<>();
    private final Map<Object, Lane> lanes = new HashMap<>();
    private final Set<Lane> held = new LinkedHashSet<>();
    private final Deque<Lane> waiting = new ArrayDeque<>();
    private OffsetAndMetadata position;
    private int share;
    private long byteShare;
    private int unfinished;
    private long bytes;
    private int running;
    private boolean suspended;
    private boolean closed;

    PartitionWork(ConsumerSettings settings, Executor workers, RecordHandler handler, LongSupplier nanos) {
        this.settings = settings;
        this.workers = workers;
        this.handler = handler;
        this.nanos = nanos;
        share(1);
    }

    /** Takes a part of what its member may have in flight, so that a partition that waits leaves the others theirs. */
    synchronized void share(int partitions) {
        share = Math.max(1, settings.maxInFlight() / partitions);
        byteShare = Math.max(1, settings.maxBytes().toBytes() / partitions);
    }

    synchronized void add(List<ConsumerRecord<Object, Object>> records) {
        long now = nanos.getAsLong();
        for (ConsumerRecord<Object, Object> message : records) {
            Entry entry = new Entry(message, now);
            window.add(entry);
            unfinished++;
            bytes += entry.bytes;
            Lane lane = lane(message.key());
            lane.entries.add(entry);
            if (!lane.scheduled) {
                lane.scheduled = true;
                schedule(lane);
            }
        }
    }

    /** Lets the held keys try again whose time has come. */
    synchronized void retry() {
        if (held.isEmpty() || suspended) {
            return;
        }
        long now = nanos.getAsLong();
        for (Lane lane : held) {
            if (!lane.running && lane.retryAt - now <= 0) {
                start(lane);
            }
        }
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
    }

    /** From now on nothing counts. */
    synchronized void close() {
        closed = true;
        suspended = true;
        lanes.clear();
        held.clear();
        waiting.clear();
        window.clear();
        unfinished = 0;
        bytes = 0;
    }

    /** Where a successor has to go on, or null when nothing has been finished. */
    synchronized OffsetAndMetadata position() {
        return position;
    }

    synchronized boolean isFull() {
        return unfinished >= share || bytes >= byteShare || window.size() >= (long) WINDOW * share;
    }

    /** Whether so much is done that the next records may come; later than not full, or each poll would bring a few. */
    synchronized boolean hasRoom() {
        return unfinished <= share / 2 && bytes <= byteShare / 2 && window.size() < (long) WINDOW * share;
    }

    /** Why no further record of the partition is taken until a held one succeeds; empty when it goes on. */
    synchronized Optional<Throwable> hold() {
        boolean waits = isHeld() || !held.isEmpty() && isFull() && onlyHeldRun();
        return waits ? Optional.of(held.iterator().next().failure) : Optional.empty();
    }

    synchronized int heldKeys() {
        return held.size();
    }

    synchronized int inFlight() {
        return unfinished;
    }

    /** How long ago the first unfinished record was read, in nanoseconds. */
    synchronized long age() {
        return window.isEmpty() ? 0 : nanos.getAsLong() - window.peek().taken;
    }

    /** Finished or not, the records that are in memory in some form. */
    synchronized int windowSize() {
        return window.size();
    }

    private Lane lane(Object key) {
        if (key == null) {
            return new Lane(null);
        }
        return lanes.computeIfAbsent(key instanceof byte[] array ? ByteBuffer.wrap(array) : key, Lane::new);
    }

    private boolean isHeld() {
        return held.size() >= settings.heldKeys();
    }

    private boolean onlyHeldRun() {
        return held.stream().filter(lane -> lane.running).count() == running;
    }

    private boolean mayRun(Lane lane) {
        return !suspended && (held.contains(lane) || !isHeld());
    }

    private void schedule(Lane lane) {
        if (mayRun(lane)) {
            start(lane);
        } else if (!held.contains(lane)) {
            waiting.add(lane);
        }
    }

    private void start(Lane lane) {
        lane.running = true;
        running++;
        workers.execute(lane);
    }

    private void stop(Lane lane) {
        lane.running = false;
        running--;
        if (running == 0) {
            notifyAll();
        }
    }

    private void releaseWaiting() {
        while (!waiting.isEmpty() && !suspended && !isHeld()) {
            start(waiting.poll());
        }
    }

    /** The next record of a lane that runs, or null when it has to wait. */
    private synchronized Entry next(Lane lane) {
        if (closed || !mayRun(lane)) {
            stop(lane);
            if (!closed) {
                schedule(lane);
            }
            return null;
        }
        return lane.entries.peek();
    }

    /** @return whether the lane goes on */
    private synchronized boolean finished(Lane lane, Entry entry, Throwable failure) {
        if (closed) {
            stop(lane);
            return false;
        }
        if (failure != null) {
            lane.failures++;
            lane.failure = failure;
            lane.retryAt = nanos.getAsLong()
                    + settings.backoffNanos(
                            lane.failures, ThreadLocalRandom.current().nextDouble());
            held.add(lane);
            stop(lane);
            return false;
        }
        lane.entries.poll();
        lane.failures = 0;
        lane.failure = null;
        unfinished--;
        bytes -= entry.bytes;
        entry.message = null;
        while (!window.isEmpty() && window.peek().message == null) {
            Entry first = window.poll();
            if (window.isEmpty() || window.peek().message != null) {
                position = new OffsetAndMetadata(first.offset + 1);
            }
        }
        boolean more = !lane.entries.isEmpty();
        if (!more) {
            stop(lane);
            lane.scheduled = false;
            if (lane.key != null) {
                lanes.remove(lane.key);
            }
        }
        if (held.remove(lane)) {
            releaseWaiting();
        }
        return more;
    }

    private static final class Entry {

        private final long offset;
        private final int bytes;
        private final long taken;
        private ConsumerRecord<Object, Object> message;

        private Entry(ConsumerRecord<Object, Object> message, long taken) {
            this.message = message;
            this.taken = taken;
            offset = message.offset();
            bytes = Math.max(0, message.serializedKeySize()) + Math.max(0, message.serializedValueSize());
        }
    }

    private final class Lane implements Runnable {

        private final Object key;
        private final Deque<Entry> entries = new ArrayDeque<>(1);
        private boolean scheduled;
        private boolean running;
        private int failures;
        private Throwable failure;
        private long retryAt;

        private Lane(Object key) {
            this.key = key;
        }

        @Override
        public void run() {
            for (int i = 0; i < TURN; i++) {
                Entry entry = next(this);
                if (entry == null) {
                    return;
                }
                Throwable result = null;
                try {
                    if (!handler.handle(entry.message, failed -> doneLater(entry, failed))) {
                        return;
                    }
                } catch (Throwable e) {
                    result = e;
                }
                if (!finished(this, entry, result)) {
                    return;
                }
            }
            workers.execute(this);
        }

        private void doneLater(Entry entry, Throwable failed) {
            if (finished(this, entry, failed)) {
                workers.execute(this);
            }
        }
    }
}
