package routes.platform.projection;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/** Loads and saves the log positions of rebuilds. */
@Component
class RebuildPositions {

    private final JdbcClient jdbc;
    private final JdbcTemplate template;
    private final RebuildEventReader log;

    RebuildPositions(JdbcClient jdbc, JdbcTemplate template, RebuildEventReader log) {
        this.jdbc = jdbc;
        this.template = template;
        this.log = log;
    }

    /**
     * Offsets by partition.
     *
     * @param first of the log
     * @param next the rebuild reads from here
     * @param end behind the last record in the view
     */
    record Positions(Map<TopicPartition, Long> first, Map<TopicPartition, Long> next, Map<TopicPartition, Long> end) {

        static long distance(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
            return from.entrySet().stream()
                    .mapToLong(entry -> Math.max(0, to.get(entry.getKey()) - entry.getValue()))
                    .sum();
        }

        long remaining() {
            return distance(next, end);
        }
    }

    private record Position(String topic, int partition, Long firstOffset, Long nextOffset, long endOffset) {}

    /** Saves the offsets that the view's group has committed: those records are in the view, or dead letters. */
    void saveViewPositions(Projection projection, Map<TopicPartition, Long> committed) {
        template.batchUpdate(
                Projection.SAVE_POSITION,
                committed.entrySet().stream()
                        .map(entry -> new Object[] {
                            projection.name(),
                            entry.getKey().topic(),
                            entry.getKey().partition(),
                            entry.getValue()
                        })
                        .toList());
    }

    /** Loads the positions; of a new partition, saves its first offset. */
    Positions load(RebuildJob job, Projection projection) {
        List<Position> positions = jdbc.sql(
                        """
                        select p.topic, p.partition, r.first_offset, r.next_offset, p.next_offset as end_offset
                        from projection_position p
                        left join projection_rebuild_position r
                               on r.rebuild = ? and r.topic = p.topic and r.partition = p.partition
                        where p.projection = ?""")
                .params(job.id(), projection.name())
                .query(Position.class)
                .list();
        Positions known = new Positions(new HashMap<>(), new HashMap<>(), new HashMap<>());
        Set<TopicPartition> unknown = new HashSet<>();
        for (Position position : positions) {
            TopicPartition partition = new TopicPartition(position.topic(), position.partition());
            if (position.firstOffset() == null) {
                unknown.add(partition);
            } else {
                known.first().put(partition, position.firstOffset());
                known.next().put(partition, position.nextOffset());
            }
            known.end().put(partition, position.endOffset());
        }
        if (!unknown.isEmpty()) {
            Map<TopicPartition, Long> started = startAtBeginning(job, unknown);
            known.first().putAll(started);
            known.next().putAll(started);
        }
        return known;
    }

    private Map<TopicPartition, Long> startAtBeginning(RebuildJob job, Set<TopicPartition> partitions) {
        Map<TopicPartition, Long> first = log.beginnings(partitions);
        first.forEach((partition, offset) -> {
            if (offset > 0) {
                throw new ProblemException(
                        409,
                        "%s partition %d begins at offset %d: earlier records are gone, and the view cannot be rebuilt without them"
                                .formatted(partition.topic(), partition.partition(), offset));
            }
        });
        template.batchUpdate(
                """
                insert into projection_rebuild_position (rebuild, topic, partition, first_offset, next_offset)
                values (?, ?, ?, ?, ?)""",
                first.entrySet().stream()
                        .map(entry -> new Object[] {
                            job.id(),
                            entry.getKey().topic(),
                            entry.getKey().partition(),
                            entry.getValue(),
                            entry.getValue()
                        })
                        .toList());
        return first;
    }

    /**
     * Saves the positions after a read.
     *
     * @return the count of records that remain
     */
    long save(RebuildJob job, Positions before, RebuildEventReader.EventBatch batch) {
        template.batchUpdate(
                "update projection_rebuild_position set next_offset = ? where rebuild = ? and topic = ? and partition = ?",
                batch.next().entrySet().stream()
                        .filter(entry -> !entry.getValue().equals(before.next().get(entry.getKey())))
                        .map(entry -> new Object[] {
                            entry.getValue(),
                            job.id(),
                            entry.getKey().topic(),
                            entry.getKey().partition()
                        })
                        .toList());
        long remaining = Positions.distance(batch.next(), before.end());
        // a search for keys reads the whole log, and the replay reads it once more
        long replay = job.step() == RebuildJob.Step.FIND ? Positions.distance(before.first(), before.end()) : 0;
        jdbc.sql(
                        """
                        update projection_rebuild
                        set events_done = events_done + :read, events_total = events_done + :read + :left,
                            poison_skipped = poison_skipped + :poison,
                            rate = (case when rate = 0 then 0 else 0.8 end) * rate + (case when rate = 0 then 1 else 0.2 end)
                                   * :read / greatest(0.001, extract(epoch from clock_timestamp() - updated_at)),
                            updated_at = clock_timestamp()
                        where id = :id""")
                .param("read", Positions.distance(before.next(), batch.next()))
                .param("left", remaining + replay)
                .param("poison", batch.poison())
                .param("id", job.id())
                .update();
        return remaining;
    }

    /** Goes back to the first offsets: the replay follows the search for keys. */
    void rewind(RebuildJob job) {
        jdbc.sql("update projection_rebuild_position set next_offset = first_offset where rebuild = ?")
                .param(job.id())
                .update();
    }
}
