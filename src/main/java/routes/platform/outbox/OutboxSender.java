package routes.platform.outbox;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Sends outbox rows asynchronously and keeps the order of each key. One thread uses it; the producer's thread only adds
 * results.
 *
 * <p>A row that its topic may reject is sent alone, so its failure is known before a later row of the key is sent. Any
 * other failure concerns the topic or the cluster. Then the producer closes before it can resend the batches after the
 * failed one, which would change the order (ADR 10).
 */
final class OutboxSender implements AutoCloseable {

    /**
     * The producer's batch size. Topics with a smaller limit get one row at a time: the producer would split a rejected
     * batch into batches of this size without end.
     */
    static final int BATCH_BYTES = 65536;

    private final Supplier<Producer<byte[], byte[]>> producers;
    private final OutboxSettings settings;
    private final Thread owner = Thread.currentThread();
    private final BlockingQueue<SendResult> results = new LinkedBlockingQueue<>();
    private final Map<Long, OutboxRow> inFlight = new HashMap<>();
    private final TopicTracker topics;

    /** Keys whose later rows wait, with the row that they wait for. */
    private final Map<OutboxRow.OrderingKey, Long> heldKeys = new HashMap<>();

    private volatile Producer<byte[], byte[]> producer;
    private volatile Exception producerFailure;

    OutboxSender(
            Supplier<Producer<byte[], byte[]>> producers, Admin admin, OutboxSettings settings, LongSupplier clock) {
        this.producers = producers;
        this.producer = producers.get();
        this.topics = new TopicTracker(admin, clock);
        this.settings = settings;
    }

    /** @param failure null when the broker has acknowledged the row */
    record SendResult(OutboxRow row, Exception failure) {}

    /** Rows that may still go in flight. Rows of stuck topics do not count, so they do not block other topics. */
    int freeRows() {
        return settings.maxInFlight() - topics.inFlight();
    }

    long freeBytes() {
        return settings.maxBytes().toBytes() - topics.inFlightBytes();
    }

    boolean isIdle() {
        return inFlight.isEmpty();
    }

    Collection<Long> inFlight() {
        return inFlight.keySet();
    }

    /** Topics whose rows the relay does not read now. */
    Set<String> closedTopics() {
        return topics.closed();
    }

    /** Topics that wait, with the reason. */
    Map<String, String> waitingTopics() {
        return topics.waiting();
    }

    /** The failure that closed the producer; null while it works. After it, {@link #restart} gets a new producer. */
    Exception producerFailure() {
        return producerFailure;
    }

    /**
     * Sends those rows of one read that may be sent now; the relay reads the others again.
     *
     * @return the count of rows sent
     */
    int send(List<OutboxRow> rows) {
        int sent = 0;
        topics.check(rows.stream().map(OutboxRow::topic).collect(Collectors.toSet()));
        Set<String> skippedTopics = new HashSet<>();
        for (OutboxRow row : rows) {
            TopicState topic = topics.get(row.topic());
            if (producerFailure != null) {
                return sent;
            }
            if (topic.isUnavailable()) {
                skippedTopics.add(row.topic());
            }
            if (!topic.isBusy() && !skippedTopics.contains(row.topic()) && !heldKeys.containsKey(row.orderingKey())) {
                send(row, topic);
                sent++;
            }
        }
        return sent;
    }

    private void send(OutboxRow row, TopicState topic) {
        boolean alone = topic.mayReject(row.bytes());
        if (alone && row.key() != null) {
            heldKeys.put(row.orderingKey(), row.id());
        }
        inFlight.put(row.id(), row);
        topic.onSent(row.bytes());
        boolean othersMayFollow = row.key() != null && !alone;
        try {
            producer.send(
                    new ProducerRecord<>(row.topic(), null, row.key(), row.value(), row.headers()),
                    (metadata, failure) -> complete(row, failure, othersMayFollow, topic));
        } catch (RuntimeException e) {
            // the producer has just closed, or fails itself: then it calls no callback
            if (producerFailure == null) {
                producerFailure = e;
            }
            results.add(new SendResult(row, e));
        }
    }

    private void complete(OutboxRow row, Exception failure, boolean othersMayFollow, TopicState topic) {
        if (failure != null && Thread.currentThread() == owner) {
            // the client has rejected the row before it was in flight; later rows of the key must wait
            if (FailureScope.of(failure) != FailureScope.ROW) {
                topic.markUnavailable(failure);
            } else if (row.key() != null) {
                heldKeys.put(row.orderingKey(), row.id());
            }
        } else if (failure != null
                && producerFailure == null
                && (othersMayFollow || FailureScope.of(failure) == FailureScope.PRODUCER)) {
            producerFailure = failure;
            producer.close(Duration.ZERO);
        }
        results.add(new SendResult(row, failure));
    }

    /** Takes all results; waits up to the timeout for the first. */
    List<SendResult> takeResults(Duration timeout) throws InterruptedException {
        List<SendResult> taken = new ArrayList<>();
        SendResult first = results.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
        if (first != null) {
            taken.add(first);
            results.drainTo(taken);
        }
        taken.forEach(this::forget);
        return taken;
    }

    private void forget(SendResult result) {
        OutboxRow row = result.row();
        TopicState topic = topics.get(row.topic());
        inFlight.remove(row.id());
        topic.onCompleted(row.bytes());
        if (result.failure() == null) {
            releaseKey(row);
            topic.onAcknowledged();
            return;
        }
        FailureScope scope = FailureScope.of(result.failure());
        if (scope != FailureScope.ROW) {
            releaseKey(row);
        }
        if (scope == FailureScope.TOPIC) {
            topic.backOff(result.failure());
        }
    }

    /** Releases the key after its row is parked: from then on the query itself holds the later rows. */
    void releaseKey(OutboxRow row) {
        heldKeys.remove(row.orderingKey(), row.id());
    }

    /** Closes a failed producer. Take its last {@link #takeResults results} before {@link #restart}. */
    void stop() {
        producer.close(Duration.ZERO);
    }

    void restart() {
        producerFailure = null;
        producer = producers.get();
    }

    /** Closes immediately. Rows in flight may reach the broker or not; the next relay sends them again. */
    @Override
    public void close() {
        stop();
    }
}
