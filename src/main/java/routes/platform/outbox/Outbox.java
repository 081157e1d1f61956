package routes.platform.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Where a record goes that follows from a database change: it is sent when, and only when, that change is committed. */
@Component("transactionalOutbox") // "outbox" is Camel's component
public class Outbox {

    /** Message header for the step {@code outbox:<topic>}: what a consumer tells a repeat by, for the table. */
    public static final String EVENT_ID = "CamelOutboxEventId";

    /**
     * Before an id is drawn. So of two records of one topic and key the one that is committed first has the lower id, and whoever sees
     * the second sees the first. Many are locked in one order, so that two transactions that add many do not wait for each other.
     */
    private static final String LOCK =
            """
            select pg_advisory_xact_lock(hash) from (
                select distinct hashtextextended(encode(key, 'hex'), hashtextextended('outbox ' || topic, 0)) as hash
                from unnest(?, ?) as record(topic, key) where key is not null order by hash) locks""";

    private static final String INSERT =
            """
            insert into outbox (tenant, topic, key, value, header_names, header_values, event_id)
            values (?, ?, ?, ?, ?, ?, ?)""";

    private final JdbcTemplate jdbc;

    public Outbox(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * Adds a record to the transaction of the change that it follows from. Other transactions that add one of the same topic and key wait
     * here until this one has ended.
     *
     * @throws org.springframework.transaction.IllegalTransactionStateException outside a transaction
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void add(OutboxRecord added) {
        addAll(List.of(added));
    }

    /**
     * Adds several, in their order. A transaction that adds records of several keys should do so at once: key after key, it and another
     * one can wait for each other, and PostgreSQL then ends one of them.
     *
     * @throws org.springframework.transaction.IllegalTransactionStateException outside a transaction
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void addAll(List<OutboxRecord> added) {
        jdbc.execute((Connection connection) -> {
            lock(connection, added);
            insert(connection, added);
            return null;
        });
    }

    private static void lock(Connection connection, List<OutboxRecord> added) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement(LOCK)) {
            lock.setArray(
                    1,
                    connection.createArrayOf(
                            "text", added.stream().map(OutboxRecord::topic).toArray()));
            lock.setArray(
                    2,
                    connection.createArrayOf(
                            "bytea", added.stream().map(OutboxRecord::key).toArray(byte[][]::new)));
            lock.execute();
        }
    }

    private static void insert(Connection connection, List<OutboxRecord> added) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
            for (OutboxRecord one : added) {
                insert.setString(1, one.tenant());
                insert.setString(2, one.topic());
                insert.setObject(3, one.key(), Types.BINARY);
                insert.setObject(4, one.value(), Types.BINARY);
                insert.setArray(
                        5,
                        connection.createArrayOf(
                                "text", one.headers().stream().map(Header::key).toArray()));
                insert.setArray(
                        6,
                        connection.createArrayOf(
                                "bytea",
                                one.headers().stream().map(Header::value).toArray(byte[][]::new)));
                insert.setString(7, one.eventId());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }
}
