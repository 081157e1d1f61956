package routes.platform.projection;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/**
 * The state machine of a rebuild: prepare the shadow tables, find keys, replay, compare, swap.
 *
 * <p>A rebuild never reads beyond the view that is served. Once it is close, the projection pauses until both are at
 * the same positions. The comparison happens there, and the swap at the next such pause.
 */
@Component
class RebuildSteps {

    private static final Logger LOG = LoggerFactory.getLogger(RebuildSteps.class);

    /** The projection pauses only for a rebuild that is at most one read behind. */
    private static final int CLOSE = RebuildEventReader.RECORDS;

    /** Most keys of a range of time; beyond it, a rebuild of everything is faster. */
    private static final int MAX_KEYS = 100_000;

    private static final int MAX_DIFFERENCES = 1000;

    /** The projection pauses only after a step shorter than this. */
    private static final long QUICK_NANOS = 500_000_000L;

    /** The longest pause of the projection. */
    private static final long CATCH_UP_NANOS = 3_000_000_000L;

    private final JdbcClient jdbc;
    private final JdbcTemplate template;
    private final ShadowTables tables;
    private final RebuildEventReader log;
    private final RebuildPositions positions;
    private final ProjectionOffsets offsets;

    RebuildSteps(
            JdbcClient jdbc,
            JdbcTemplate template,
            ShadowTables tables,
            RebuildEventReader log,
            RebuildPositions positions,
            ProjectionOffsets offsets) {
        this.jdbc = jdbc;
        this.template = template;
        this.tables = tables;
        this.log = log;
        this.positions = positions;
        this.offsets = offsets;
    }

    /** Runs the step that the job's row names. */
    void run(RebuildJob job, Projection projection) throws IOException {
        if (job.step() != RebuildJob.Step.PREPARE) {
            tables.requireSameColumns(projection);
        }
        switch (job.step()) {
            case PREPARE -> prepare(job, projection);
            case FIND -> findKeys(job, projection);
            case READ -> {
                if (isClose(job, projection)) {
                    compare(job, projection);
                }
            }
            case SWAP -> {
                if (isClose(job, projection)) {
                    swap(job, projection);
                }
            }
        }
    }

    /** Cleans up after a failed rebuild; the view that is served stays. */
    void abandon(RebuildJob job, Projection projection) {
        tables.drop(projection);
        jdbc.sql("update projection_rebuild set finished_at = updated_at where id = ?")
                .param(job.id())
                .update();
    }

    /** Replays the next records, and predicts whether the rebuild will catch up quickly. */
    private boolean isClose(RebuildJob job, Projection projection) throws IOException {
        long start = System.nanoTime();
        return remaining(job, projection) == 0
                || replay(job, projection) <= CLOSE && System.nanoTime() - start < QUICK_NANOS;
    }

    private long remaining(RebuildJob job, Projection projection) {
        return positions.load(job, projection).remaining();
    }

    private void prepare(RebuildJob job, Projection projection) {
        LOG.info("rebuild {} of {} begins", job.id(), job.projection());
        tables.create(projection);
        // the group has projected what it has committed; if the database is a backup, the rebuild repairs it
        positions.saveViewPositions(projection, offsets.committed(projection));
        Map<TopicPartition, Long> view = positions.load(job, projection).end();
        offsets.ends(view.keySet()).forEach((partition, end) -> {
            if (end < view.get(partition)) {
                throw new ProblemException(
                        409,
                        "%s partition %d ends at offset %d, before the position of the view: it is another log"
                                .formatted(partition.topic(), partition.partition(), end));
            }
        });
        enter(job, job.hasTimeRange() ? RebuildJob.Step.FIND : RebuildJob.Step.READ);
    }

    /** Collects the keys with events in the range of time. */
    private void findKeys(RebuildJob job, Projection projection) throws IOException {
        RebuildPositions.Positions before = positions.load(job, projection);
        RebuildEventReader.EventBatch batch = log.read(before, null);
        Set<String> found = new HashSet<>();
        for (List<PositionedEvent> events : batch.events()) {
            for (PositionedEvent event : events) {
                if (job.inRange(event.event().metadata().timestamp())) {
                    found.add(event.key());
                }
            }
        }
        template.batchUpdate(
                "insert into projection_rebuild_key (rebuild, key) values (?, ?) on conflict do nothing",
                found.stream().map(key -> new Object[] {job.id(), key}).toList());
        if (positions.save(job, before, new RebuildEventReader.EventBatch(List.of(), batch.next(), 0)) > 0) {
            return;
        }
        int keys = jdbc.sql("select count(*) from projection_rebuild_key where rebuild = ?")
                .param(job.id())
                .query(Integer.class)
                .single();
        if (keys > MAX_KEYS) {
            throw new ProblemException(
                    409, "more than " + MAX_KEYS + " records have events in this range: rebuild the whole projection");
        }
        positions.rewind(job);
        enter(job, RebuildJob.Step.READ);
    }

    /**
     * Applies the next records to the shadow tables.
     *
     * @return the count of records that remain
     */
    private long replay(RebuildJob job, Projection projection) throws IOException {
        RebuildPositions.Positions before = positions.load(job, projection);
        RebuildEventReader.EventBatch batch = log.read(before, job.keyFilter());
        if (!batch.events().isEmpty()) {
            tables.inShadowSchema(() -> batch.events().forEach(projection::apply));
        }
        return positions.save(job, before, batch);
    }

    private void compare(RebuildJob job, Projection projection) {
        ShadowTables.Differences differences =
                tables.compare(projection, job.keyFilter(), () -> catchUp(job, projection), MAX_DIFFERENCES);
        template.batchUpdate(
                "insert into projection_difference (rebuild, tenant, id) values (?, ?, ?)",
                differences.first().stream()
                        .map(different -> new Object[] {job.id(), different.tenant(), different.id()})
                        .toList());
        jdbc.sql("update projection_rebuild set differences = ? where id = ?")
                .params(differences.count(), job.id())
                .update();
        LOG.info("rebuild {} of {}: {} records differ", job.id(), job.projection(), differences.count());
        if (job.dryRun()) {
            tables.drop(projection);
            markDone(job);
        } else {
            enter(job, RebuildJob.Step.SWAP);
        }
    }

    private void swap(RebuildJob job, Projection projection) {
        tables.lock(projection);
        catchUp(job, projection);
        if (job.keyFilter() == null) {
            tables.swapTables(projection);
        } else {
            tables.swapRows(projection, job.id());
        }
        markDone(job);
    }

    /** Replays the rest while the projection pauses. */
    private void catchUp(RebuildJob job, Projection projection) {
        try {
            long end = System.nanoTime() + CATCH_UP_NANOS;
            while (remaining(job, projection) > 0 && replay(job, projection) > 0) {
                if (System.nanoTime() > end) {
                    throw new TimeoutException("the log cannot be read");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void markDone(RebuildJob job) {
        jdbc.sql(
                        """
                        update projection_rebuild
                        set state = 'DONE', updated_at = clock_timestamp(), finished_at = clock_timestamp()
                        where id = ? and state = 'RUNNING'""")
                .param(job.id())
                .update();
        LOG.info("rebuild {} of {} is done", job.id(), job.projection());
    }

    private void enter(RebuildJob job, RebuildJob.Step step) {
        jdbc.sql(
                        "update projection_rebuild set step = ?, updated_at = clock_timestamp() where id = ? and state = 'RUNNING'")
                .params(step.name(), job.id())
                .update();
    }
}
