package routes.platform.database;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;
import routes.RuntimeIT;

/** How long statements may take, and for how many there are connections. */
class ConnectionsIT extends RuntimeIT {

    @Autowired
    private DataSource database;

    @Autowired
    private JdbcTemplate template;

    @Autowired
    private TransactionTemplate transactions;

    @Autowired
    private Flyway flyway;

    @Autowired
    private LongStatements longStatements;

    @Autowired
    private PoolSizeCheck reckoning;

    /** In milliseconds, 0 is without end. */
    private record Limits(int onTheServer, int here) {

        static Limits of(Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "select setting from pg_settings where name = 'statement_timeout'")) {
                row.next();
                return new Limits(row.getInt(1), connection.getNetworkTimeout());
            }
        }
    }

    @Test
    void endsAStatementBeforeThePoolGivesUp() {
        Limits limits = template.execute((ConnectionCallback<Limits>) Limits::of);

        assertThat(limits.onTheServer()).isPositive().isLessThan(limits.here());
    }

    @Test
    void runsALongMigration() throws SQLException {
        try (Connection connection = flyway.getConfiguration().getDataSource().getConnection()) {
            assertThat(Limits.of(connection)).isEqualTo(new Limits(0, 0));
        }
    }

    @Test
    void allowsAnHourForOneTransactionOnly() throws SQLException {
        int hour = Math.toIntExact(Duration.ofHours(1).toMillis());
        // alone in a pool of one, so that the next user has the same connection
        try (HikariDataSource one = new HikariDataSource()) {
            HikariDataSource pool = database.unwrap(HikariDataSource.class);
            pool.copyStateTo(one);
            one.setMaximumPoolSize(1);
            one.setMinimumIdle(1);
            JdbcTemplate jdbc = new JdbcTemplate(one);
            Limits before = jdbc.execute((ConnectionCallback<Limits>) Limits::of);
            new TransactionTemplate(new org.springframework.jdbc.support.JdbcTransactionManager(one))
                    .executeWithoutResult(status -> {
                        new LongStatements(jdbc).allow();
                        assertThat(jdbc.execute((ConnectionCallback<Limits>) Limits::of))
                                .isEqualTo(new Limits(hour, hour));
                    });
            assertThat(jdbc.execute((ConnectionCallback<Limits>) Limits::of)).isEqualTo(before);
        }
    }

    @Test
    void hasAConnectionForEveryHolder() throws SQLException {
        int size = database.unwrap(HikariDataSource.class).getMaximumPoolSize();

        assertThat(reckoning.needed()).isLessThanOrEqualTo(size);
        assertThat(reckoning.trouble(size, size + 1)).isEmpty();
        assertThat(reckoning.trouble(reckoning.needed() - 1, size + 1).orElseThrow())
                .startsWith("the pool has " + (reckoning.needed() - 1) + " connections");
        assertThat(reckoning.trouble(size, size).orElseThrow()).contains("max_connections");
    }
}
