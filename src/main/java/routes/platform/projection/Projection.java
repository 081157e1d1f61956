package routes.platform.projection;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.camel.Body;
import org.apache.camel.Message;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.ProblemException;

/**
 * A view that follows from topics alone. A pattern has a subclass as a bean; its route reads the topics in batches and calls {@link #project}.
 * A rebuild calls the same {@link #apply} for tables of the same names in another schema, so nothing here may name a schema,
 * and nothing may have an effect beside those tables.
 */
public abstract class Projection {

    /** Of a projection, topic and partition; a position never goes back. */
    static final String NOTE_POSITION =
            """
            insert into projection_position as known (projection, topic, partition, next_offset) values (?, ?, ?, ?)
            on conflict (projection, topic, partition) do update
            set next_offset = greatest(known.next_offset, excluded.next_offset)""";

    private final String name;
    private final String group;
    private final Set<String> topics;
    private final List<Table> tables;
    private final JdbcClient jdbc;
    private final TransactionTemplate transactions;

    /**
     * A table of a view. It has a column {@code tenant}, and its rows follow from the log: no clock, no sequence.
     *
     * @param key the columns of its primary key: the one with the record key, {@code tenant}, and any others
     */
    public record Table(String name, List<String> key) {

        /** The column with the record key, by which differences are told. */
        String idColumn() {
            return key.get(0);
        }
    }

    /**
     * @param name as in {@code /api/projections/{name}}
     * @param group the consumer group that keeps the view up to date
     */
    protected Projection(
            String name,
            String group,
            Set<String> topics,
            List<Table> tables,
            JdbcClient jdbc,
            TransactionTemplate transactions) {
        this.name = name;
        this.group = group;
        this.topics = topics;
        this.tables = tables;
        this.jdbc = jdbc;
        this.transactions = transactions;
    }

    public final String name() {
        return name;
    }

    final String group() {
        return group;
    }

    final Set<String> topics() {
        return topics;
    }

    final List<Table> tables() {
        return tables;
    }

    /**
     * Makes events part of the view, within a transaction: all or none. They may have come before, in whole or in part, and another
     * member may be at the same ones. Whatever the batches and their order, as long as each partition comes in its own, the same
     * records must make the same view.
     *
     * @param events of one partition, in its order
     */
    public abstract void apply(List<PositionedEvent> events);

    /**
     * Makes a batch of records part of the view that is served.
     *
     * @param batch of one partition and in its order, each with the event as its body
     * @throws FailedRecordInBatchException for the first that the view can never have
     */
    public final void project(@Body List<Message> batch) {
        List<PositionedEvent> events = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            try {
                events.add(PositionedEvent.of(batch.get(i)));
            } catch (ProblemException e) {
                throw new FailedRecordInBatchException(i, e);
            }
        }
        transactions.executeWithoutResult(status -> {
            lockShared();
            apply(events);
            note(events.get(events.size() - 1));
        });
    }

    /** While anybody has it, no rebuild compares or exchanges the tables. */
    private void lockShared() {
        jdbc.sql("select pg_advisory_xact_lock_shared(hashtextextended(?, 0))")
                .param(lockName())
                .query((row, n) -> true)
                .single();
    }

    /** What {@code hashtextextended} makes the number of the lock of. */
    final String lockName() {
        return "projection " + name;
    }

    private void note(PositionedEvent last) {
        jdbc.sql(NOTE_POSITION)
                .params(name, last.event().topic(), last.partition(), last.offset() + 1)
                .update();
    }
}
