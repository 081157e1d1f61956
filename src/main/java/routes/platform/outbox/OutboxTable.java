package routes.platform.outbox;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Reads the unsent rows of the outbox, and marks them sent or parked. */
final class OutboxTable implements AutoCloseable {

    /**
     * Reads each open topic from its first unsent row, because a late commit has a lower id than rows already sent. The
     * topics take turns: it reads at most twice its share of each. A range of topics instead of one keeps the planner
     * on the index by topic, so closed topics cost one jump (ADR 10).
     */
    static final String READ =
            """
            with open_topic as materialized (select topic, id from outbox_unsent_topic where topic <> all(?))
            select id, topic, key, value, header_names, header_values from (
                select *, sum(coalesce(octet_length(value), 0)) over (order by turn, id) - coalesce(octet_length(value), 0) as before
                from (
                    select of_topic.*
                    from (select topic, id, 1 + 2 * ?::bigint / count(*) over () as share from open_topic) open_topic
                    cross join lateral (
                        select *, row_number() over (order by topic, id) as turn
                        from (
                            select id, topic, key, value, header_names, header_values from outbox
                            where (topic, id) >= (open_topic.topic, open_topic.id) and topic <= open_topic.topic
                              and sent_at is null and set_aside_at is null
                              and id <> all(?)
                              and (key is null or (topic, key) not in (
                                  select topic, key from outbox where set_aside_at is not null and key is not null))
                            order by topic, id limit open_topic.share) unsent) of_topic
                    order by turn, id limit ?) next) rows
            where before < ?
            order by turn, id""";

    private static final String MARK_SENT = "update outbox set sent_at = clock_timestamp() where id = any(?)";

    private static final String PARK = "update outbox set set_aside_at = clock_timestamp(), failure = ? where id = ?";

    private final Connection connection;
    private final PreparedStatement read;
    private final PreparedStatement markSent;
    private final PreparedStatement park;

    OutboxTable(Connection connection) throws SQLException {
        this.connection = connection;
        this.read = connection.prepareStatement(READ);
        this.markSent = connection.prepareStatement(MARK_SENT);
        this.park = connection.prepareStatement(PARK);
    }

    /**
     * Reads the next unsent rows; those of one topic in their order.
     *
     * @param inFlight rows to leave out
     * @param closed topics to leave out
     * @param limit most rows
     * @param bytes most bytes of values; the last row may exceed it
     */
    List<OutboxRow> readUnsent(Collection<Long> inFlight, Collection<String> closed, int limit, long bytes)
            throws SQLException {
        read.setArray(1, connection.createArrayOf("text", closed.toArray()));
        read.setInt(2, limit);
        read.setArray(3, connection.createArrayOf("bigint", inFlight.toArray()));
        read.setInt(4, limit);
        read.setLong(5, bytes);
        List<OutboxRow> rows = new ArrayList<>();
        try (ResultSet row = read.executeQuery()) {
            while (row.next()) {
                rows.add(new OutboxRow(
                        row.getLong("id"),
                        row.getString("topic"),
                        row.getBytes("key"),
                        row.getBytes("value"),
                        headers(row.getArray("header_names"), row.getArray("header_values"))));
            }
        }
        return rows;
    }

    private static List<Header> headers(Array names, Array values) throws SQLException {
        String[] name = (String[]) names.getArray();
        byte[][] value = (byte[][]) values.getArray();
        List<Header> headers = new ArrayList<>(name.length);
        for (int i = 0; i < name.length; i++) {
            headers.add(new RecordHeader(name[i], value[i]));
        }
        return headers;
    }

    void markSent(Collection<Long> ids) throws SQLException {
        markSent.setArray(1, connection.createArrayOf("bigint", ids.toArray()));
        markSent.executeUpdate();
    }

    /** Parks a row that the broker will never accept; the later rows of its key wait. */
    void park(long id, String reason) throws SQLException {
        park.setString(1, reason);
        park.setLong(2, id);
        park.executeUpdate();
    }

    @Override
    public void close() throws SQLException {
        read.close();
        markSent.close();
        park.close();
    }
}
