package routes.platform.outbox;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import routes.platform.database.DirectConnections;
import routes.platform.error.FailureClassifier;
import routes.platform.outbox.OutboxSender.Result;
import routes.platform.outbox.OutboxSender.Row;

/**
 * Sends what is in the outbox. Of all instances one does, the one whose connection holds the lock; the others try to get it, and one does
 * as soon as that connection is gone.
 *
 * <p>One that has lost its connection and does not know it yet can only repeat records. It sends the rows of a key in their order, each
 * after all earlier ones have been written or marked as sent; so does the next one, from the first row that is not marked. Whatever the
 * two write in between each other, no row of a key is written for the first time before those that come before it.
 */
@Component
class OutboxRelay implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(OutboxRelay.class);

    private static final String LOCK = "select pg_try_advisory_lock(hashtextextended('outbox relay', 0))";

    /**
     * So that a server notices within some seconds that this host is gone, and gives the lock to another one; no statement outlives the
     * socket; and a plan for each number of rows that wait.
     */
    private static final String SESSION =
            """
            set statement_timeout = '8s';
            set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
            set tcp_user_timeout = 10000; set client_connection_check_interval = 2000;
            set plan_cache_mode = force_custom_plan""";

    private static final int MOST_ROWS = 1000;
    private static final String SOCKET_TIMEOUT_S = "10";
    private static final int MAX_BLOCK_MS = 2000;
    private static final long BUFFER_BESIDE_BYTES = 32L << 20;
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration DRAIN = Duration.ofSeconds(2);

    private final DataSource database;
    private final ObjectProvider<CamelContext> camel;
    private final Admin admin;
    private final OutboxSettings settings;
    private final FailureClassifier failures;
    private final AtomicLong sent = new AtomicLong();
    private volatile Thread thread;
    private volatile boolean stopping;
    private volatile boolean active;
    private volatile String failure;
    private volatile Map<String, String> waitingTopics = Map.of();

    /** @param camel not itself: Spring would start it before this, and so before it has its routes */
    OutboxRelay(
            DirectConnections connections,
            ObjectProvider<CamelContext> camel,
            Admin admin,
            OutboxSettings settings,
            FailureClassifier failures) {
        this.database = connections.source("event-broker-outbox", Map.of("socketTimeout", SOCKET_TIMEOUT_S));
        this.camel = camel;
        this.admin = admin;
        this.settings = settings;
        this.failures = failures;
    }

    /** Whether this instance is the one that sends. */
    boolean isActive() {
        return active;
    }

    /** Why this instance can neither send nor wait for its turn. */
    Optional<String> failure() {
        Thread running = thread;
        return running != null && !running.isAlive() && !stopping
                ? Optional.of("its thread has ended")
                : Optional.ofNullable(failure);
    }

    /** Topics whose records wait, and why; known where the relay is active. */
    Map<String, String> waitingTopics() {
        return waitingTopics;
    }

    /** Records that the broker has acknowledged since the start. */
    long sent() {
        return sent.get();
    }

    @Override
    public synchronized void start() {
        stopping = false;
        thread = new Thread(this::run, "outbox-relay");
        // a start that fails elsewhere ends the process without stopping this
        thread.setDaemon(true);
        thread.start();
    }

    /** Waits for what is under way, and no longer than {@link #DRAIN}; what is not acknowledged then, and what routes still add, is sent by another instance. */
    @Override
    public synchronized void stop() {
        stopping = true;
        try {
            thread.join(DRAIN.plus(PAUSE).toMillis());
            // in a call that does not return: to the brokers, or the database
            thread.interrupt();
            thread.join(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        thread = null;
    }

    @Override
    public boolean isRunning() {
        return thread != null;
    }

    /** Stops after the requests in flight have been answered. */
    @Override
    public int getPhase() {
        return 0;
    }

    /** Whatever ends a turn, the next one begins: nobody else would start the relay again. */
    private void run() {
        while (!stopping) {
            try (Connection connection = connect()) {
                while (!stopping && !lock(connection)) {
                    failure = null;
                    Thread.sleep(PAUSE.toMillis());
                }
                if (!stopping) {
                    relay(connection);
                }
            } catch (Throwable e) {
                if (!stopping) {
                    note(e);
                    pause();
                }
            }
        }
    }

    private void note(Throwable e) {
        String why = failures.describe(e);
        if (!why.equals(failure)) {
            LOG.warn("outbox: no relay here: {}{}", why, e instanceof SQLException ? "" : "\n" + failures.stack(e));
        }
        failure = why;
    }

    private void pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            // stop() does so, and has said so
        }
    }

    /** One of its own: those of the pool are for work that ends, and come and go. */
    private Connection connect() throws SQLException {
        Connection connection = database.getConnection();
        try (Statement statement = connection.createStatement()) {
            statement.execute(SESSION);
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private static boolean lock(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet locked = statement.executeQuery(LOCK)) {
            return locked.next() && locked.getBoolean(1);
        }
    }

    private void relay(Connection connection) throws SQLException, InterruptedException {
        LOG.info("outbox: this instance sends now");
        try (OutboxSender sender = new OutboxSender(this::producer, admin, settings, System::nanoTime);
                OutboxTable rows = new OutboxTable(connection)) {
            active = true;
            Duration patience = Duration.ZERO;
            while (!stopping) {
                book(sender, sender.results(patience), rows);
                if (sender.broken() != null) {
                    renew(sender, rows);
                }
                patience = take(sender, rows);
                waitingTopics = sender.waiting();
                failure = null;
            }
            for (long end = System.nanoTime() + DRAIN.toNanos(); !sender.isIdle() && System.nanoTime() < end; ) {
                book(sender, sender.results(settings.pollInterval()), rows);
            }
        } finally {
            active = false;
            waitingTopics = Map.of();
            LOG.info("outbox: this instance sends no more");
        }
    }

    /**
     * Reads rows and sends them.
     *
     * @return how long to wait for results before the next time
     */
    private Duration take(OutboxSender sender, OutboxTable rows) throws SQLException {
        int limit = Math.min(MOST_ROWS, sender.room());
        // a full window first has to be half empty: each time, the rows that are under way are passed over
        if (limit < Math.min(MOST_ROWS, settings.maxInFlight() / 2) || sender.byteRoom() <= 0) {
            return settings.pollInterval();
        }
        long began = System.nanoTime();
        if (sender.send(rows.read(sender.inFlight(), sender.closedTopics(), limit, sender.byteRoom())) > 0) {
            return Duration.ZERO;
        }
        // when many rows wait for their key, passing over them takes a while: not again and again
        return Duration.ofNanos(Math.max(settings.pollInterval().toNanos(), 4 * (System.nanoTime() - began)));
    }

    private void book(OutboxSender sender, List<Result> results, OutboxTable rows) throws SQLException {
        List<Long> acknowledged = results.stream()
                .filter(result -> result.failure() == null)
                .map(result -> result.row().id())
                .toList();
        if (!acknowledged.isEmpty()) {
            rows.markSent(acknowledged);
            sent.addAndGet(acknowledged.size());
        }
        for (Result result : results) {
            if (result.failure() != null && OutboxSender.isOfTheRow(result.failure())) {
                Row row = result.row();
                String why = "%s: about %d bytes"
                        .formatted(result.failure().getClass().getSimpleName(), row.bytes());
                rows.setAside(row.id(), why);
                LOG.warn("outbox: record {} for {} is set aside, and its key waits: {}", row.id(), row.topic(), why);
                sender.release(row);
            }
        }
    }

    /** Another producer after one that is broken. */
    private void renew(OutboxSender sender, OutboxTable rows) throws SQLException, InterruptedException {
        Exception why = sender.broken();
        sender.stop();
        book(sender, sender.results(Duration.ZERO), rows);
        if (!OutboxSender.isOfTheRow(why) && !OutboxSender.isOfTheTopic(why)) {
            LOG.warn(
                    "outbox: sends again what is not acknowledged: {}",
                    why.getClass().getSimpleName());
            Thread.sleep(PAUSE.toMillis());
        }
        sender.restart();
    }

    /** As {@code camel.component.kafka} says, except for what order and patience need. */
    private Producer<byte[], byte[]> producer() {
        KafkaConfiguration kafka =
                camel.getObject().getComponent("kafka", KafkaComponent.class).getConfiguration();
        Map<String, Object> config = new TreeMap<>(kafka.createProducerProperties().entrySet().stream()
                .collect(Collectors.toMap(entry -> entry.getKey().toString(), Map.Entry::getValue)));
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.getBrokers());
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 5);
        // one record that fails while later ones of its key go through would be out of order: as long as it can, it
        // waits
        config.put(ProducerConfig.RETRIES_CONFIG, Integer.MAX_VALUE);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK_MS);
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, OutboxSender.BATCH_BYTES);
        // measured before compression, so it is not what a topic takes
        int record =
                Integer.parseInt(camel.getObject().resolvePropertyPlaceholders("{{event-broker.max-record-bytes}}"));
        config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, record);
        config.put(
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                settings.maxBytes().toBytes() + Math.max(record, BUFFER_BESIDE_BYTES));
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
