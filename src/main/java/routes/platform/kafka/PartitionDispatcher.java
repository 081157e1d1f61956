package routes.platform.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/**
 * Dispatches the records of one partition to its lanes, and knows which offsets are completed. It serves one
 * assignment. When the partition is assigned again it gets a new dispatcher, and late completions of the old one have
 * no effect.
 */
final class PartitionDispatcher {

    private static final Logger LOG = LoggerFactory.getLogger(PartitionDispatcher.class);

    /** Exchanges of one lane before its worker takes another lane. */
    private static final int TURN = 64;

    private final String name;
    private final FailureClassifier failures;
    private final Executor workers;
    private final RecordHandler handler;
    private final LongSupplier nanos;

    private final OffsetWindow window;
    private final InFlightBudget inFlight;
    private final HeldLanes held;
    private final LaneScheduler lanes;
    private final CompletionQueue completions = new CompletionQueue(this::processCompletions);
    private boolean closed;
    private boolean wasHeld;
    private Throwable readFailure;

    /**
     * @param name topic, partition and group, for the log
     * @param committed where it begins, or null when the group has committed nothing
     * @param maxBatch the most records that the handler takes at a time; 0 when it takes them one by one
     */
    PartitionDispatcher(
            String name,
            OffsetAndMetadata committed,
            ConsumerSettings settings,
            int maxBatch,
            FailureClassifier failures,
            Executor workers,
            RecordHandler handler,
            LongSupplier nanos) {
        this.name = name;
        this.window = new OffsetWindow(committed);
        this.inFlight = new InFlightBudget(settings);
        this.held = new HeldLanes(name, settings, failures, maxBatch > 0 ? 1 : settings.heldKeys());
        this.lanes = new LaneScheduler(maxBatch, held, workers, this::runTurn);
        this.failures = failures;
        this.workers = workers;
        this.handler = handler;
        this.nanos = nanos;
    }

    /** Divides the budget of its member, so that a partition that waits leaves the others their share. */
    synchronized void divideBudgetAmong(int partitions) {
        inFlight.divideAmong(partitions);
    }

    void dispatch(List<ConsumerRecord<Object, Object>> records) {
        // outside the lock: the first worker would otherwise immediately wait for it
        enqueue(records).forEach(workers::execute);
    }

    /** @return the lanes to start */
    private synchronized List<Lane> enqueue(List<ConsumerRecord<Object, Object>> records) {
        List<Lane> starting = new ArrayList<>();
        long now = nanos.getAsLong();
        for (ConsumerRecord<Object, Object> message : records) {
            OffsetWindow.Entry entry = window.add(message, now);
            if (entry == null) {
                continue;
            }
            inFlight.add(entry);
            Lane lane = lanes.lane(message.key());
            lane.entries.add(entry);
            if (!lane.scheduled) {
                lane.scheduled = true;
                if (lanes.begin(lane)) {
                    starting.add(lane);
                }
            }
        }
        return starting;
    }

    /** Retries the held lanes whose backoff is over, and logs when the partition is held and when it is released. */
    synchronized void retryDue() {
        logHold();
        lanes.retryDue(nanos.getAsLong());
    }

    private void logHold() {
        Optional<Throwable> reason = holdReason();
        if (reason.isPresent() && !wasHeld) {
            LOG.warn("partition held: {}: {}", name, failures.describe(reason.get()));
        } else if (reason.isEmpty() && wasHeld) {
            LOG.info("partition released: {}", name);
        }
        wasHeld = reason.isPresent();
    }

    synchronized void suspend() {
        lanes.suspend();
    }

    synchronized void resume() {
        lanes.resume();
    }

    /** Suspends the partition, and waits until no exchange is in flight. */
    synchronized void drain(long deadline) throws InterruptedException {
        lanes.suspend();
        for (long left; lanes.running() > 0 && (left = deadline - nanos.getAsLong()) > 0; ) {
            TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
        }
        if (lanes.running() > 0) {
            LOG.info("drain timeout: {}: {} records in flight are redelivered", name, inFlight.records());
        }
    }

    /** Forgets everything: completions no longer have an effect. */
    synchronized void close() {
        closed = true;
        lanes.close();
        held.clear();
        window.clear();
        inFlight.clear();
    }

    /** Returns where a successor begins, or null when that is not known. */
    synchronized OffsetAndMetadata offsetToCommit() {
        return window.offsetToCommit();
    }

    /** All records before this offset are completed; {@link OffsetWindow#UNKNOWN} before the first record. */
    synchronized long completedUpTo() {
        return window.completedUpTo();
    }

    /** Returns the offset to read next, or {@link OffsetWindow#UNKNOWN}. */
    synchronized long nextOffset() {
        return window.nextOffset();
    }

    /**
     * @param clientPosition the client's position, which passes over offsets without a record; all records before it
     *     are here
     */
    synchronized void skipGapsUpTo(long clientPosition) {
        if (!closed) {
            window.skipGapsUpTo(clientPosition);
        }
    }

    /** @param failure why the client cannot continue reading, or null when it can */
    synchronized void setReadFailure(Throwable failure) {
        readFailure = failure;
    }

    /** Returns whether the member may read further records of the partition. */
    synchronized boolean acceptsRecords() {
        return !lanes.isSuspended() && !isFull() && lanesHoldReason().isEmpty();
    }

    /** Returns why the partition is held: the client cannot continue reading, or held lanes keep it from continuing. */
    synchronized Optional<Throwable> holdReason() {
        return readFailure != null ? Optional.of(readFailure) : lanesHoldReason();
    }

    private Optional<Throwable> lanesHoldReason() {
        boolean holds = held.holdThePartition() || held.areAllThatRun(lanes.running()) && isFull();
        return holds ? Optional.of(held.failure()) : Optional.empty();
    }

    private boolean isFull() {
        return inFlight.isFull(window.size());
    }

    /** Returns the failure for an operator: why the partition is held, or why a dead letter cannot be written. */
    synchronized Optional<Throwable> blockingFailure() {
        return holdReason().or(held::refusedDeadLetter);
    }

    synchronized int heldKeys() {
        return held.count();
    }

    synchronized int inFlightRecords() {
        return inFlight.records();
    }

    synchronized long inFlightBytes() {
        return inFlight.bytes();
    }

    synchronized long bytesOverShare() {
        return inFlight.bytesOverShare();
    }

    /** Returns the age of the oldest record that is not completed, in nanoseconds. */
    synchronized long oldestAge() {
        return window.size() == 0 ? 0 : nanos.getAsLong() - window.first().readAt();
    }

    synchronized int windowSize() {
        return window.size();
    }

    /** Handles records of a lane on a worker, until the lane has none, has to wait, or has used up its turn. */
    private void runTurn(Lane lane) {
        for (int i = 0; i < TURN; i++) {
            List<OffsetWindow.Entry> entries = next(lane);
            if (entries == null) {
                return;
            }
            Throwable failure = null;
            try {
                if (!handler.handle(
                        messages(entries), lane.unknownFailures, result -> completions.add(lane, entries, result))) {
                    return;
                }
            } catch (Throwable e) {
                failure = e;
            }
            if (!complete(lane, entries, failure)) {
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

    /** @return the records of the next exchange, or null when the lane has to wait */
    private synchronized List<OffsetWindow.Entry> next(Lane lane) {
        if (closed || !lanes.mayRun(lane)) {
            stop(lane);
            if (!closed) {
                lanes.schedule(lane);
            }
            return null;
        }
        return lane.next(nanos);
    }

    private void processCompletions() {
        completeAll().forEach(workers::execute);
    }

    /** @return the lanes that continue */
    private synchronized List<Lane> completeAll() {
        List<Lane> going = new ArrayList<>();
        for (CompletionQueue.Completion done; (done = completions.poll()) != null; ) {
            if (complete(done.lane(), done.entries(), done.failure())) {
                going.add(done.lane());
            }
        }
        return going;
    }

    /** @return whether the lane continues */
    private synchronized boolean complete(Lane lane, List<OffsetWindow.Entry> handled, Throwable failure) {
        if (closed) {
            stop(lane);
            return false;
        }
        if (failure != null) {
            if (lane.narrow(failure, handled.size(), failures)) {
                return true;
            }
            stop(lane);
            held.hold(lane, failure, nanos.getAsLong());
            return false;
        }
        for (OffsetWindow.Entry entry : handled) {
            lane.entries.poll();
            inFlight.remove(entry);
            window.complete(entry);
        }
        lane.succeeded(nanos);
        boolean more = !lane.entries.isEmpty();
        if (!more) {
            lanes.retire(lane);
            notifyWhenDrained();
        }
        if (held.contains(lane)) {
            held.release(lane, handled.get(0).offset(), nanos.getAsLong());
            lanes.releaseWaiting();
        }
        return more;
    }

    private void stop(Lane lane) {
        lanes.stop(lane);
        notifyWhenDrained();
    }

    private void notifyWhenDrained() {
        if (lanes.running() == 0) {
            notifyAll();
        }
    }
}
