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

/** How far rebuilds have come in the log, in rows. */
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

    /** Of each partition, where the log began, behind what a rebuild has read, and behind what the view has. */
    record Positions(Map<TopicPartition, Long> first, Map<TopicPartition, Long> next, Map<TopicPartition, Long> end) {

        /** Records between the two. */
        static long distance(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
            return from.entrySet().stream()
                    .mapToLong(entry -> Math.max(0, to.get(entry.getKey()) - entry.getValue()))
                    .sum();
        }

        long left() {
            return distance(next, end);
        }
    }

    private record Position(String topic, int partition, Long firstOffset, Long nextOffset, long endOffset) {}

    /** Notes what the group of the view has done with: it is in the view, or rests in the dead-letter topic. */
    void noteView(Projection projection, Map<TopicPartition, Long> committed) {
        template.batchUpdate(
                Projection.NOTE_POSITION,
                committed.entrySet().stream()
                        .map(entry -> new Object[] {
                            projection.name(),
                            entry.getKey().topic(),
                            entry.getKey().partition(),
                            entry.getValue()
                        })
                        .toList());
    }

    Positions of(RebuildJob run, Projection projection) {
        List<Position> positions = jdbc.sql(
                        """
                        select p.topic, p.partition, r.first_offset, r.next_offset, p.next_offset as end_offset
                        from projection_position p
                        left join projection_rebuild_position r
                               on r.rebuild = ? and r.topic = p.topic and r.partition = p.partition
                        where p.projection = ?""")
                .params(run.id(), projection.name())
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
            Map<TopicPartition, Long> begun = begin(run, unknown);
            known.first().putAll(begun);
            known.next().putAll(begun);
        }
        return known;
    }

    /** Partitions that the rebuild has not read from yet. */
    private Map<TopicPartition, Long> begin(RebuildJob run, Set<TopicPartition> partitions) {
        Map<TopicPartition, Long> first = log.beginnings(partitions);
        first.forEach((partition, offset) -> {
            if (offset > 0) {
                throw new ProblemException(
                        409,
                        "%s partition %d begins at offset %d: what came before is gone, and the view cannot be made of the rest"
                                .formatted(partition.topic(), partition.partition(), offset));
            }
        });
        template.batchUpdate(
                """
                insert into projection_rebuild_position (rebuild, topic, partition, first_offset, next_offset)
                values (?, ?, ?, ?, ?)""",
                first.entrySet().stream()
                        .map(entry -> new Object[] {
                            run.id(),
                            entry.getKey().topic(),
                            entry.getKey().partition(),
                            entry.getValue(),
                            entry.getValue()
                        })
                        .toList());
        return first;
    }

    /**
     * Notes what has been read.
     *
     * @return how many records there are behind it
     */
    long note(RebuildJob run, Positions before, RebuildEventReader.Read read) {
        template.batchUpdate(
                "update projection_rebuild_position set next_offset = ? where rebuild = ? and topic = ? and partition = ?",
                read.next().entrySet().stream()
                        .filter(entry -> !entry.getValue().equals(before.next().get(entry.getKey())))
                        .map(entry -> new Object[] {
                            entry.getValue(),
                            run.id(),
                            entry.getKey().topic(),
                            entry.getKey().partition()
                        })
                        .toList());
        long left = Positions.distance(read.next(), before.end());
        // before everything is read, a range of time is looked for in everything
        long further = run.step() == RebuildJob.Step.FIND ? Positions.distance(before.first(), before.end()) : 0;
        jdbc.sql(
                        """
                        update projection_rebuild
                        set events_done = events_done + :read, events_total = events_done + :read + :left,
                            poison_skipped = poison_skipped + :poison,
                            rate = (case when rate = 0 then 0 else 0.8 end) * rate + (case when rate = 0 then 1 else 0.2 end)
                                   * :read / greatest(0.001, extract(epoch from clock_timestamp() - updated_at)),
                            updated_at = clock_timestamp()
                        where id = :id""")
                .param("read", Positions.distance(before.next(), read.next()))
                .param("left", left + further)
                .param("poison", read.poison())
                .param("id", run.id())
                .update();
        return left;
    }

    /** A range of time has been looked for in everything; now everything is read. */
    void rewind(RebuildJob run) {
        jdbc.sql("update projection_rebuild_position set next_offset = first_offset where rebuild = ?")
                .param(run.id())
                .update();
    }
}
