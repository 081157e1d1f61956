package routes.platform.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.outbox.OutboxSender.SendResult;

/**
 * Moves rows from the outbox to Kafka while this instance holds the relay's lock: reads, sends, and marks or parks
 * them.
 */
final class RelaySession implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RelaySession.class);

    private static final int MAX_ROWS_PER_READ = 1000;
    private static final Duration PRODUCER_BACKOFF = Duration.ofSeconds(1);

    private final OutboxTable table;
    private final OutboxSender sender;
    private final OutboxSettings settings;
    private final AtomicLong sent;

    private Duration resultTimeout = Duration.ZERO;

    /** @param sent counts the records that the broker acknowledges */
    RelaySession(
            Connection connection,
            Supplier<Producer<byte[], byte[]>> producers,
            Admin admin,
            OutboxSettings settings,
            AtomicLong sent)
            throws SQLException {
        this.table = new OutboxTable(connection);
        this.sender = new OutboxSender(producers, admin, settings, System::nanoTime);
        this.settings = settings;
        this.sent = sent;
    }

    /** Saves the results so far and sends the next rows. */
    void advance() throws SQLException, InterruptedException {
        save(sender.takeResults(resultTimeout));
        if (sender.producerFailure() != null) {
            replaceProducer();
        }
        resultTimeout = sendNext();
    }

    /** Waits for the rows in flight, up to the timeout. */
    void drain(Duration timeout) throws SQLException, InterruptedException {
        for (long end = System.nanoTime() + timeout.toNanos(); !sender.isIdle() && System.nanoTime() < end; ) {
            save(sender.takeResults(settings.pollInterval()));
        }
    }

    /** Topics that wait, with the reason. */
    Map<String, String> waitingTopics() {
        return sender.waitingTopics();
    }

    /** @return the time to wait for results before the next read */
    private Duration sendNext() throws SQLException {
        int limit = Math.min(MAX_ROWS_PER_READ, sender.freeRows());
        // each read skips the rows in flight, so wait until half of the window is free
        if (limit < Math.min(MAX_ROWS_PER_READ, settings.maxInFlight() / 2) || sender.freeBytes() <= 0) {
            return settings.pollInterval();
        }
        long start = System.nanoTime();
        if (sender.send(table.readUnsent(sender.inFlight(), sender.closedTopics(), limit, sender.freeBytes())) > 0) {
            return Duration.ZERO;
        }
        // skipping many held rows takes a while, so after a slow read the next one waits longer
        return Duration.ofNanos(Math.max(settings.pollInterval().toNanos(), 4 * (System.nanoTime() - start)));
    }

    private void save(List<SendResult> results) throws SQLException {
        List<Long> acknowledged = results.stream()
                .filter(result -> result.failure() == null)
                .map(result -> result.row().id())
                .toList();
        if (!acknowledged.isEmpty()) {
            table.markSent(acknowledged);
            sent.addAndGet(acknowledged.size());
        }
        for (SendResult result : results) {
            if (result.failure() != null && FailureScope.of(result.failure()) == FailureScope.ROW) {
                park(result.row(), result.failure());
            }
        }
    }

    private void park(OutboxRow row, Exception failure) throws SQLException {
        String reason = "%s: about %d bytes".formatted(failure.getClass().getSimpleName(), row.bytes());
        table.park(row.id(), reason);
        LOG.warn("outbox relay parks record {} for {} and holds its key: {}", row.id(), row.topic(), reason);
        sender.releaseKey(row);
    }

    private void replaceProducer() throws SQLException, InterruptedException {
        Exception failure = sender.producerFailure();
        sender.stop();
        save(sender.takeResults(Duration.ZERO));
        if (FailureScope.of(failure) == FailureScope.PRODUCER) {
            LOG.warn(
                    "outbox relay sends unacknowledged records again: {}",
                    failure.getClass().getSimpleName());
            Thread.sleep(PRODUCER_BACKOFF.toMillis());
        }
        sender.restart();
    }

    @Override
    public void close() throws SQLException {
        try (sender) {
            table.close();
        }
    }
}
