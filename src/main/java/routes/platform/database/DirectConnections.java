package routes.platform.database;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import javax.sql.DataSource;
import org.postgresql.Driver;
import org.springframework.boot.autoconfigure.flyway.FlywayConfigurationCustomizer;
import org.springframework.boot.autoconfigure.flyway.FlywayProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.stereotype.Component;

/** Opens connections outside the pool, for work that keeps its connection or outlasts the pool's timeouts. */
@Component
public class DirectConnections {

    private static final int MILLIS = 1000;

    private final HikariDataSource pool;

    DirectConnections(DataSource database) throws SQLException {
        this.pool = database.unwrap(HikariDataSource.class);
    }

    /**
     * Runs migrations without timeouts, because large tables take long. A URL or user of Flyway's own has precedence.
     */
    @Bean
    static FlywayConfigurationCustomizer migrationsTakeTheirTime(DataSource database, FlywayProperties settings)
            throws SQLException {
        if (settings.getUrl() != null || settings.getUser() != null) {
            return flyway -> {};
        }
        DataSource direct = new DirectConnections(database).source("event-broker-migration", Map.of());
        return flyway -> flyway.dataSource(direct);
    }

    /**
     * @param name the application name that the server shows
     * @param properties of the driver; they override those of the pool, whose timeouts do not apply
     */
    public DataSource source(String name, Map<String, String> properties) {
        Properties all = new Properties();
        all.putAll(pool.getDataSourceProperties());
        all.remove("socketTimeout");
        all.remove("options");
        if (pool.getUsername() != null) {
            all.setProperty("user", pool.getUsername());
        }
        if (pool.getPassword() != null) {
            all.setProperty("password", pool.getPassword());
        }
        all.setProperty("ApplicationName", name);
        all.setProperty("connectTimeout", String.valueOf(Math.max(1, pool.getConnectionTimeout() / MILLIS)));
        all.putAll(properties);
        return new SimpleDriverDataSource(new Driver(), pool.getJdbcUrl(), all);
    }
}
