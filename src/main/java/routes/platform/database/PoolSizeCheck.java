package routes.platform.database;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Warns at start when the pool has fewer connections than consumers, timers and requests may hold together. Then
 * requests wait for consumers, and fail while consumers wait for a lock.
 */
@Component
class PoolSizeCheck {

    private static final Logger LOG = LoggerFactory.getLogger(PoolSizeCheck.class);

    /** Requests that hold a connection at the same time; a query takes milliseconds, so others wait briefly. */
    static final int REQUESTS = 16;

    /**
     * The second connection of a rebuild's comparison, the purge, the outbox's health and metrics, the database check,
     * the lanes of open FHIR intents.
     */
    static final int OTHERS = 5;

    private final HikariDataSource pool;
    private final JdbcClient jdbc;
    private final CamelContext camel;
    private final int threads;

    PoolSizeCheck(
            DataSource database,
            JdbcClient jdbc,
            CamelContext camel,
            @Value("${event-broker.consumer.threads}") int threads)
            throws SQLException {
        this.pool = database.unwrap(HikariDataSource.class);
        this.jdbc = jdbc;
        this.camel = camel;
        this.threads = threads;
    }

    @EventListener(ApplicationReadyEvent.class)
    void check() {
        int allowed = jdbc.sql(
                        """
                        select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int""")
                .query(Integer.class)
                .single();
        trouble(pool.getMaximumPoolSize(), allowed).ifPresent(LOG::warn);
    }

    /**
     * @param size of the pool
     * @param allowed connections that the server gives to all clients together
     */
    Optional<String> trouble(int size, int allowed) {
        if (size < needed()) {
            return Optional.of(
                    "the pool has %d connections, and %d may be used at once: %d consumers with %d threads, %d timers, %d requests, %d others (spring.datasource.hikari.maximum-pool-size)"
                            .formatted(size, needed(), consumers(), threads, clocks(), REQUESTS, OTHERS));
        }
        // the outbox relay has a connection outside the pool
        if (size + 1 > allowed) {
            return Optional.of(
                    "the pool may take %d connections and the outbox 1, and the server has %d for all instances together (max_connections)"
                            .formatted(size, allowed));
        }
        return Optional.empty();
    }

    int needed() {
        return consumers() * threads + clocks() + REQUESTS + OTHERS;
    }

    private int consumers() {
        return started("kafka");
    }

    private int clocks() {
        return started("scheduler");
    }

    private int started(String scheme) {
        return (int) camel.getRoutes().stream()
                .filter(Route::isAutoStartup)
                .filter(route -> route.getEndpoint().getEndpointUri().startsWith(scheme + ":"))
                .count();
    }
}
