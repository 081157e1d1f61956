package routes.platform.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.state.RetentionRule;

/**
 * Adds records to the outbox in the transaction of a database change. The relay sends them if, and only if, it commits.
 */
@Component("transactionalOutbox") // "outbox" is Camel's component
public class Outbox {

    /** Message header of the step {@code outbox:<topic>}: the event id; consumers find duplicates by it. */
    public static final String EVENT_ID = "CamelOutboxEventId";

    /**
     * Locks topic and key before the sequence assigns an id, so the ids of a key have the order of its commits. All
     * transactions lock many keys in one order, so they cannot deadlock.
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

    @Bean
    static RetentionRule outboxRetention(@Value("${event-broker.retention.outbox}") Duration keep) {
        return new RetentionRule("outbox", "sent_at", keep);
    }

    /**
     * Adds a record in the current transaction. Other transactions that add one of the same topic and key wait here
     * until it ends.
     *
     * @throws org.springframework.transaction.IllegalTransactionStateException outside a transaction
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public void add(OutboxRecord added) {
        addAll(List.of(added));
    }

    /**
     * Adds several records, in their order. Add the records of several keys in one call: two transactions that add key
     * after key can deadlock.
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
