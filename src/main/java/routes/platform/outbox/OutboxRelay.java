package routes.platform.outbox;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import routes.platform.database.DirectConnections;
import routes.platform.error.FailureClassifier;

/**
 * Elects the one instance that relays the outbox, by a session lock of PostgreSQL, and keeps its relay running.
 *
 * <p>A relay that has lost its connection without knowing can only repeat records, never change the order of a key: see
 * ADR 10.
 */
@Component
class OutboxRelay implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(OutboxRelay.class);

    private static final String LOCK = "select pg_try_advisory_lock(hashtextextended('outbox relay', 0))";

    /**
     * Keepalives release the lock within seconds after a host dies. The statement timeout ends before the socket's. A
     * custom plan fits the number of unsent rows.
     */
    private static final String SESSION_SETTINGS =
            """
            set statement_timeout = '8s';
            set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
            set tcp_user_timeout = 10000; set client_connection_check_interval = 2000;
            set plan_cache_mode = force_custom_plan""";

    private static final String SOCKET_TIMEOUT_S = "10";
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(1);
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(2);

    private final DataSource database;
    private final RelayProducerFactory producers;
    private final Admin admin;
    private final OutboxSettings settings;
    private final FailureClassifier failures;
    private final AtomicLong sent = new AtomicLong();
    private volatile Thread thread;
    private volatile boolean stopping;
    private volatile boolean active;
    private volatile String failure;
    private volatile Map<String, String> waitingTopics = Map.of();

    OutboxRelay(
            DirectConnections connections,
            RelayProducerFactory producers,
            Admin admin,
            OutboxSettings settings,
            FailureClassifier failures) {
        this.database = connections.source("event-broker-outbox", Map.of("socketTimeout", SOCKET_TIMEOUT_S));
        this.producers = producers;
        this.admin = admin;
        this.settings = settings;
        this.failures = failures;
    }

    /** Whether this instance relays. */
    boolean isActive() {
        return active;
    }

    /** The reason why this instance neither relays nor waits for the lock. */
    Optional<String> failure() {
        Thread running = thread;
        return running != null && !running.isAlive() && !stopping
                ? Optional.of("its thread has ended")
                : Optional.ofNullable(failure);
    }

    /** Topics that wait, with the reason; empty on an instance that does not relay. */
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
        // a failed start elsewhere ends the process without a stop here
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Waits up to two seconds for rows in flight. Another instance sends the rest, and the rows that routes still add.
     */
    @Override
    public synchronized void stop() {
        stopping = true;
        try {
            thread.join(DRAIN_TIMEOUT.plus(RETRY_INTERVAL).toMillis());
            // a call to the brokers or the database does not return
            thread.interrupt();
            thread.join(RETRY_INTERVAL.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        thread = null;
    }

    @Override
    public boolean isRunning() {
        return thread != null;
    }

    /** Stops after the requests in flight have their answers. */
    @Override
    public int getPhase() {
        return 0;
    }

    /**
     * Runs until the stop. After any failure, even an {@code Error}, it tries again: nothing else restarts the relay.
     */
    private void run() {
        while (!stopping) {
            try (Connection connection = connect()) {
                while (!stopping && !tryLock(connection)) {
                    failure = null;
                    Thread.sleep(RETRY_INTERVAL.toMillis());
                }
                if (!stopping) {
                    relay(connection);
                }
            } catch (Throwable e) {
                if (!stopping) {
                    report(e);
                    pause();
                }
            }
        }
    }

    private void report(Throwable e) {
        String reason = failures.describe(e);
        if (!reason.equals(failure)) {
            LOG.warn(
                    "outbox relay fails on this instance: {}{}",
                    reason,
                    e instanceof SQLException ? "" : "\n" + failures.stack(e));
        }
        failure = reason;
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY_INTERVAL.toMillis());
        } catch (InterruptedException e) {
            // stop() interrupts, after it has set stopping
        }
    }

    /** A dedicated connection: the pool closes and recycles its connections, and the lock would be lost with them. */
    private Connection connect() throws SQLException {
        Connection connection = database.getConnection();
        try (Statement statement = connection.createStatement()) {
            statement.execute(SESSION_SETTINGS);
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private static boolean tryLock(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet locked = statement.executeQuery(LOCK)) {
            return locked.next() && locked.getBoolean(1);
        }
    }

    private void relay(Connection connection) throws SQLException, InterruptedException {
        LOG.info("outbox relay starts on this instance");
        try (RelaySession session = new RelaySession(connection, producers::create, admin, settings, sent)) {
            active = true;
            while (!stopping) {
                session.advance();
                waitingTopics = session.waitingTopics();
                failure = null;
            }
            session.drain(DRAIN_TIMEOUT);
        } finally {
            active = false;
            waitingTopics = Map.of();
            LOG.info("outbox relay stops on this instance");
        }
    }
}
