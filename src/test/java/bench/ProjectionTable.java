package bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.camel.Body;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;

/** Stores a row for each record, in one transaction per batch. */
public class ProjectionTable {

    private static final String INSERT = "insert into %s (event_id, id, event) values (?, ?, ?::json)";

    private final JdbcTemplate jdbc;

    ProjectionTable(DataSource database) {
        jdbc = new JdbcTemplate(database);
    }

    @Transactional
    public void store(@Body List<Message> records, @Header("table") String table) {
        jdbc.batchUpdate(
                INSERT.formatted(table),
                records.stream()
                        .map(message -> row(message.getBody(byte[].class), message.getHeader(KafkaConstants.KEY)))
                        .toList());
    }

    static PreparedStatement insert(Connection connection, String table) throws SQLException {
        return connection.prepareStatement(INSERT.formatted(table));
    }

    static Object[] row(byte[] value, Object key) {
        var event = Json.readObject(value);
        return new Object[] {
            event.at("/metadata/eventId").asText(),
            new String((byte[]) key),
            event.path("payload").toString()
        };
    }

    static Connection connect(Map<String, String> servers) throws SQLException {
        return DriverManager.getConnection(
                servers.get("spring.datasource.url") + "?reWriteBatchedInserts=true",
                servers.get("spring.datasource.username"),
                servers.get("spring.datasource.password"));
    }

    static void create(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    "create table %s (seq bigserial primary key, event_id text not null, id text not null, event json not null, at timestamptz not null default clock_timestamp())"
                            .formatted(table));
        }
    }

    /**
     * Counts the rows, and drops the table.
     *
     * @return milliseconds between the first and the last row
     * @throws IllegalStateException for a lost record, a duplicate, or a broken order of a key
     */
    static long verify(Connection connection, String table, int count) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        """
                        select count(*), count(distinct event_id), count(*) filter (where before > event_id),
                               (extract(epoch from max(at) - min(at)) * 1000)::bigint
                        from (select *, lag(event_id) over (partition by id order by seq) as before from %s) rows"""
                                .formatted(table))) {
            result.next();
            if (result.getInt(1) != count || result.getInt(2) != count || result.getInt(3) != 0) {
                throw new IllegalStateException("%d rows, %d distinct, %d out of order; expected %d"
                        .formatted(result.getInt(1), result.getInt(2), result.getInt(3), count));
            }
            long millis = Math.max(1, result.getLong(4));
            statement.execute("drop table " + table);
            return millis;
        }
    }
}
