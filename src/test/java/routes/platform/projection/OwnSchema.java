package routes.platform.projection;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.util.Map;
import java.util.UUID;
import org.flywaydb.core.Flyway;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import sandbox.Servers;

/** The tables of the runtime in a schema of a test's own, in the real database: nobody else changes them. */
public final class OwnSchema implements AutoCloseable {

    private final String name = "own_" + UUID.randomUUID().toString().replace("-", "");

    public final HikariDataSource database;
    public final JdbcClient jdbc;
    public final TransactionTemplate transactions;

    public OwnSchema() {
        Map<String, String> servers = Servers.shared().properties();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(servers.get("spring.datasource.url"));
        config.setUsername(servers.get("spring.datasource.username"));
        config.setPassword(servers.get("spring.datasource.password"));
        config.setSchema(name);
        config.setMaximumPoolSize(8);
        database = new HikariDataSource(config);
        Flyway.configure().dataSource(database).schemas(name).load().migrate();
        jdbc = JdbcClient.create(database);
        transactions = new TransactionTemplate(new JdbcTransactionManager(database));
    }

    @Override
    public void close() {
        jdbc.sql("drop schema " + name + " cascade").update();
        database.close();
    }
}
