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
 * Folds the events of topics into a read model. A pattern's route passes batches to {@link #project}. A rebuild calls
 * the same {@link #apply} for shadow tables, so a subclass names no schema and has no effect outside its tables.
 */
public abstract class Projection {

    /** Saves the position of a projection in a partition; it never moves back. */
    static final String SAVE_POSITION =
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
     * A table of the view. It has a column {@code tenant}. Its rows depend on the log alone: no clock, no sequence.
     *
     * @param key the columns of its primary key: the one with the record key, {@code tenant}, and any others
     */
    public record Table(String name, List<String> key) {

        /** The column with the record key; a rebuild reports differences by it. */
        String idColumn() {
            return key.get(0);
        }
    }

    /**
     * @param name as in {@code /api/projections/{name}}
     * @param group the consumer group of the view's route
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
     * Applies events to the view, in one transaction. Events may be duplicates, and another member may apply the same
     * ones now. The same records must make the same view, in any batches, if each partition keeps its order.
     *
     * @param events of one partition, in its order
     */
    public abstract void apply(List<PositionedEvent> events);

    /**
     * Applies a batch of records to the view.
     *
     * @param batch of one partition, in its order; each message has an event as its body
     * @throws FailedRecordInBatchException for the first record that the view can never take
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
            savePosition(events.get(events.size() - 1));
        });
    }

    /** Keeps rebuilds from comparing or swapping the tables during this transaction. */
    private void lockShared() {
        jdbc.sql("select pg_advisory_xact_lock_shared(hashtextextended(?, 0))")
                .param(lockName())
                .query((row, n) -> true)
                .single();
    }

    /** The text whose {@code hashtextextended} is the number of the advisory lock. */
    final String lockName() {
        return "projection " + name;
    }

    private void savePosition(PositionedEvent last) {
        jdbc.sql(SAVE_POSITION)
                .params(name, last.event().topic(), last.partition(), last.offset() + 1)
                .update();
    }
}
