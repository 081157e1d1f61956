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
import routes.platform.outbox.OutboxSender.Row;

/** The rows of the outbox, as the relay sees them: reads what is to be sent, and notes what became of it. */
final class OutboxTable implements AutoCloseable {

    /**
     * Of each topic always from its first row that is not sent: one that is committed late has a lower id than others that are sent already.
     * Of a topic that is closed nothing is read; a range of topics, and not one, keeps the planner to the index that says where each begins,
     * for in the order of ids alone its rows would be passed over. The topics take turns, so that none waits for the rows of another: when there are many, of
     * each no more than twice its share is looked at.
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

    private static final String MARK = "update outbox set sent_at = clock_timestamp() where id = any(?)";

    private static final String SET_ASIDE =
            "update outbox set set_aside_at = clock_timestamp(), failure = ? where id = ?";

    private final Connection connection;
    private final PreparedStatement read;
    private final PreparedStatement mark;
    private final PreparedStatement setAside;

    OutboxTable(Connection connection) throws SQLException {
        this.connection = connection;
        this.read = connection.prepareStatement(READ);
        this.mark = connection.prepareStatement(MARK);
        this.setAside = connection.prepareStatement(SET_ASIDE);
    }

    /**
     * The next rows to send, those of a topic in their order.
     *
     * @param inFlight rows that are not read again
     * @param closed topics of which nothing is read
     * @param limit how many at most
     * @param bytes of their values, which the last one may exceed
     */
    List<Row> read(Collection<Long> inFlight, Collection<String> closed, int limit, long bytes) throws SQLException {
        read.setArray(1, connection.createArrayOf("text", closed.toArray()));
        read.setInt(2, limit);
        read.setArray(3, connection.createArrayOf("bigint", inFlight.toArray()));
        read.setInt(4, limit);
        read.setLong(5, bytes);
        List<Row> rows = new ArrayList<>();
        try (ResultSet row = read.executeQuery()) {
            while (row.next()) {
                rows.add(new Row(
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

    /** Notes that the broker has acknowledged them. */
    void markSent(Collection<Long> ids) throws SQLException {
        mark.setArray(1, connection.createArrayOf("bigint", ids.toArray()));
        mark.executeUpdate();
    }

    /** Notes that the broker will never take it; from then on its key waits. */
    void setAside(long id, String why) throws SQLException {
        setAside.setString(1, why);
        setAside.setLong(2, id);
        setAside.executeUpdate();
    }

    @Override
    public void close() throws SQLException {
        read.close();
        mark.close();
        setAside.close();
    }
}
