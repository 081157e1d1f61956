package routes.platform.outbox;

import java.nio.ByteBuffer;
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
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import routes.platform.outbox.TopicTracker.Topic;

/**
 * Sends rows of the outbox without waiting for each, and keeps the order of a key also when one cannot be sent. Used by one thread; the
 * producer's own thread only tells it results.
 *
 * <p>What fails for itself is found before a later row of its key is sent: the client refuses at once what is larger than a request, and a
 * row that may be larger than its topic takes goes alone. What else fails says something about the topic or the cluster. The broker then
 * has refused this batch and, by their sequence numbers, those of its partition that were under way behind it; the producer would send
 * these again, so it is closed before it can.
 */
final class OutboxSender implements AutoCloseable {

    /** What a record needs in its batch besides key, value and headers. Generous. */
    private static final int RECORD_OVERHEAD = 512;

    /**
     * What the producer collects for a partition. To a topic that takes less, rows go one by one: a batch that the broker refuses for its size
     * is split into batches of up to this size, that is into itself, without end.
     */
    static final int BATCH_BYTES = 65536;

    private final Supplier<Producer<byte[], byte[]>> producers;
    private final OutboxSettings settings;
    private final Thread owner = Thread.currentThread();
    private final BlockingQueue<Result> results = new LinkedBlockingQueue<>();
    private final Map<Long, Row> inFlight = new HashMap<>();
    private final TopicTracker topics;
    private final Map<Key, Long> held = new HashMap<>();
    private volatile Producer<byte[], byte[]> producer;
    private volatile Exception broken;

    OutboxSender(
            Supplier<Producer<byte[], byte[]>> producers, Admin admin, OutboxSettings settings, LongSupplier clock) {
        this.producers = producers;
        this.producer = producers.get();
        this.topics = new TopicTracker(admin, clock);
        this.settings = settings;
    }

    /** A row of the outbox, without what the table keeps for people. */
    record Row(long id, String topic, byte[] key, byte[] value, List<Header> headers) {

        int bytes() {
            int bytes = RECORD_OVERHEAD + length(key) + length(value);
            for (Header header : headers) {
                bytes += header.key().length() * 3 + length(header.value());
            }
            return bytes;
        }

        private static int length(byte[] bytes) {
            return bytes == null ? 0 : bytes.length;
        }

        Key orderedBy() {
            return key == null ? null : new Key(topic, ByteBuffer.wrap(key));
        }
    }

    private record Key(String topic, ByteBuffer key) {}

    /** @param failure null when the broker has acknowledged the row */
    record Result(Row row, Exception failure) {}

    /** How many rows more may be under way. What a topic does not acknowledge for long does not count: others go on. */
    int room() {
        return settings.maxInFlight() - topics.inFlight();
    }

    /** The same in bytes. */
    long byteRoom() {
        return settings.maxBytes().toBytes() - topics.bytes();
    }

    boolean isIdle() {
        return inFlight.isEmpty();
    }

    Collection<Long> inFlight() {
        return inFlight.keySet();
    }

    /** Topics whose rows are not to be read now. */
    Set<String> closedTopics() {
        return topics.closed();
    }

    /** Why which topics wait. */
    Map<String, String> waiting() {
        return topics.waiting();
    }

    /** The failure that ended this producer: nothing more is sent, and what is not acknowledged is to be sent again by another one. */
    Exception broken() {
        return broken;
    }

    /**
     * Sends what may be sent now of rows that were read together; the others are to be read again.
     *
     * @return how many it were
     */
    int send(List<Row> rows) {
        int sent = 0;
        topics.lookAt(rows.stream().map(Row::topic).collect(Collectors.toSet()));
        Set<String> skipped = new HashSet<>();
        for (Row row : rows) {
            Topic topic = topics.get(row.topic());
            if (broken != null) {
                return sent;
            }
            if (topic.isRefused()) {
                skipped.add(row.topic());
            }
            if (!topic.isBusy() && !skipped.contains(row.topic()) && !held.containsKey(row.orderedBy())) {
                send(row, topic);
                sent++;
            }
        }
        return sent;
    }

    private void send(Row row, Topic topic) {
        boolean alone = topic.mayRefuse(row.bytes());
        if (alone && row.key() != null) {
            held.put(row.orderedBy(), row.id());
        }
        inFlight.put(row.id(), row);
        topic.sent(row.bytes());
        boolean othersBehind = row.key() != null && !alone;
        try {
            producer.send(
                    new ProducerRecord<>(row.topic(), null, row.key(), row.value(), row.headers()),
                    (metadata, failure) -> done(row, failure, othersBehind, topic));
        } catch (RuntimeException e) {
            // closed by the failure of another row in this moment, or broken by itself; then it tells no result
            if (broken == null) {
                broken = e;
            }
            results.add(new Result(row, e));
        }
    }

    private void done(Row row, Exception failure, boolean othersBehind, Topic topic) {
        if (failure != null && Thread.currentThread() == owner) {
            // it is not under way, and what follows it must not be
            if (!isOfTheRow(failure)) {
                topic.refuse(failure);
            } else if (row.key() != null) {
                held.put(row.orderedBy(), row.id());
            }
        } else if (failure != null
                && broken == null
                && (othersBehind || !isOfTheRow(failure) && !isOfTheTopic(failure))) {
            broken = failure;
            producer.close(Duration.ZERO);
        }
        results.add(new Result(row, failure));
    }

    /** What has come to an end; waits for it as long as given. */
    List<Result> results(Duration patience) throws InterruptedException {
        List<Result> done = new ArrayList<>();
        Result first = results.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        if (first != null) {
            done.add(first);
            results.drainTo(done);
        }
        done.forEach(this::ended);
        return done;
    }

    private void ended(Result result) {
        Row row = result.row();
        Topic topic = topics.get(row.topic());
        inFlight.remove(row.id());
        topic.ended(row.bytes());
        if (result.failure() == null || !isOfTheRow(result.failure())) {
            held.remove(row.orderedBy(), row.id());
        }
        if (result.failure() == null) {
            topic.acknowledged();
        } else if (isOfTheTopic(result.failure())) {
            topic.refusedAgain(result.failure());
        }
    }

    /** After a row has been set aside: from now on the query finds those that wait behind it. */
    void release(Row row) {
        held.remove(row.orderedBy(), row.id());
    }

    /** Ends a producer that is broken; its last {@link #results} come before {@link #restart}. */
    void stop() {
        producer.close(Duration.ZERO);
    }

    void restart() {
        broken = null;
        producer = producers.get();
    }

    /** Whether a row by itself can never be sent. */
    static boolean isOfTheRow(Exception failure) {
        return failure instanceof RecordTooLargeException
                || failure instanceof RecordBatchTooLargeException
                || failure instanceof InvalidRecordException;
    }

    static boolean isOfTheTopic(Exception failure) {
        return failure instanceof TopicAuthorizationException
                || failure instanceof InvalidTopicException
                || failure instanceof UnknownTopicOrPartitionException;
    }

    /** At once: what is under way may reach the broker or not, and is sent again. */
    @Override
    public void close() {
        stop();
    }
}
