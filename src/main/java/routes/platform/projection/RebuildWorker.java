package routes.platform.projection;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.step.JobHandler;
import routes.platform.step.StepRunner;

/**
 * Builds projections anew from the log. A rebuild is a row; each of its steps makes the next records part of the tables of the rebuild, and
 * notes behind what it has read.
 *
 * <p>A rebuild never reads beyond what the view that is served has read. Once it is close, projecting waits for the moment in which both
 * are at the same positions; they are compared as they are then, and later, in such a moment again, the one takes the place of the other.
 */
@Component("rebuildWorker")
class RebuildWorker implements JobHandler<RebuildJob>, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RebuildWorker.class);

    /** What a rebuild may be behind when projecting waits for it. */
    private static final int CLOSE = RebuildEventReader.RECORDS;

    /** Of a range of time; for more it takes less to rebuild everything. */
    private static final int MOST_KEYS = 100_000;

    private static final int MOST_DIFFERENCES = 1000;

    /** Of a step, when projecting waits for the next ones. */
    private static final long QUICK_NANOS = 500_000_000L;

    /** For how long projecting waits for a rebuild that is close. */
    private static final long CATCH_UP_NANOS = 3_000_000_000L;

    private final Map<String, Projection> projections;
    private final StepRunner runner;
    private final JdbcClient jdbc;
    private final JdbcTemplate template;
    private final ShadowTables tables;
    private final RebuildEventReader log;
    private final RebuildPositions positions;
    private final ProjectionOffsets offsets;

    /** A stop does not wait for a comparison that takes long. */
    private final ReentrantLock working = new ReentrantLock();

    RebuildWorker(
            List<Projection> projections,
            StepRunner runner,
            JdbcClient jdbc,
            JdbcTemplate template,
            ShadowTables tables,
            RebuildEventReader log,
            RebuildPositions positions,
            ProjectionOffsets offsets) {
        this.projections = projections.stream().collect(Collectors.toMap(Projection::name, Function.identity()));
        this.runner = runner;
        this.jdbc = jdbc;
        this.template = template;
        this.tables = tables;
        this.log = log;
        this.positions = positions;
        this.offsets = offsets;
    }

    /** Takes steps of all rebuilds for at most about a second. */
    public void runDueSteps() {
        working.lock();
        try {
            if (!runner.runDueSteps(this)) {
                rest();
            }
        } finally {
            working.unlock();
        }
    }

    @Override
    public void close() {
        if (working.tryLock()) {
            try {
                log.forget();
            } finally {
                working.unlock();
            }
        }
    }

    /** Nothing to do, or another instance does it: then the next step may be taken here. */
    private void rest() {
        if (log.isOpen()
                && !jdbc.sql("select exists (select 1 from projection_rebuild where state = 'RUNNING')")
                        .query(Boolean.class)
                        .single()) {
            log.forget();
        }
    }

    @Override
    public String jobName() {
        return "rebuild";
    }

    @Override
    public String table() {
        return "projection_rebuild";
    }

    @Override
    public Optional<RebuildJob> lockNextDue() {
        return jdbc.sql(
                        """
                        select id, projection, step, dry_run, key, from_time, to_time, failures, unknown_failures
                        from projection_rebuild where projection in (:known) and %s order by started_at %s"""
                                .formatted(StepRunner.DUE, StepRunner.LOCK_ONE))
                .param("known", projections.keySet())
                .query(RebuildJob.class)
                .optional();
    }

    @Override
    public void runStep(RebuildJob run) throws IOException {
        boolean done = false;
        try {
            step(run, projections.get(run.projection()));
            done = true;
        } finally {
            if (!done) {
                // what the client is at, and the keys, may be of what is rolled back now
                log.forget();
            }
        }
    }

    /** What is served stays as it is. */
    @Override
    public void onFailed(RebuildJob run) {
        tables.drop(projections.get(run.projection()));
        jdbc.sql("update projection_rebuild set finished_at = updated_at where id = ?")
                .param(run.id())
                .update();
    }

    private void step(RebuildJob run, Projection projection) throws IOException {
        if (run.step() != RebuildJob.Step.PREPARE) {
            tables.check(projection);
        }
        switch (run.step()) {
            case PREPARE -> prepare(run, projection);
            case FIND -> find(run, projection);
            case READ -> {
                if (isClose(run, projection)) {
                    compare(run, projection);
                }
            }
            case SWAP -> {
                if (isClose(run, projection)) {
                    swap(run, projection);
                }
            }
        }
    }

    /** Whether it takes little time to catch up. The step before shows it, so that projecting does not wait for records that take long. */
    private boolean isClose(RebuildJob run, Projection projection) throws IOException {
        long began = System.nanoTime();
        return left(run, projection) == 0
                || advance(run, projection) <= CLOSE && System.nanoTime() - began < QUICK_NANOS;
    }

    private long left(RebuildJob run, Projection projection) {
        return positions.of(run, projection).left();
    }

    private void prepare(RebuildJob run, Projection projection) {
        LOG.info("rebuild {} of {} begins", run.id(), run.projection());
        tables.create(projection);
        // what the group has done with is in the view; unless the database is a backup: then the rebuild mends it
        positions.noteView(projection, offsets.committed(projection));
        Map<TopicPartition, Long> view = positions.of(run, projection).end();
        offsets.ends(view.keySet()).forEach((partition, end) -> {
            if (end < view.get(partition)) {
                throw new ProblemException(
                        409,
                        "%s partition %d ends at offset %d, before what the view has read: it is another log"
                                .formatted(partition.topic(), partition.partition(), end));
            }
        });
        next(run, run.isOfTime() ? RebuildJob.Step.FIND : RebuildJob.Step.READ);
    }

    /** Looks for keys in the next records. */
    private void find(RebuildJob run, Projection projection) throws IOException {
        RebuildPositions.Positions before = positions.of(run, projection);
        RebuildEventReader.Read read = log.read(before, null);
        Set<String> found = new HashSet<>();
        for (List<PositionedEvent> events : read.events()) {
            for (PositionedEvent event : events) {
                if (run.has(event.event().metadata().timestamp())) {
                    found.add(event.key());
                }
            }
        }
        template.batchUpdate(
                "insert into projection_rebuild_key (rebuild, key) values (?, ?) on conflict do nothing",
                found.stream().map(key -> new Object[] {run.id(), key}).toList());
        if (positions.note(run, before, new RebuildEventReader.Read(List.of(), read.next(), 0)) > 0) {
            return;
        }
        int all = jdbc.sql("select count(*) from projection_rebuild_key where rebuild = ?")
                .param(run.id())
                .query(Integer.class)
                .single();
        if (all > MOST_KEYS) {
            throw new ProblemException(
                    409, "more than " + MOST_KEYS + " records have events in this range: rebuild the whole projection");
        }
        positions.rewind(run);
        next(run, RebuildJob.Step.READ);
    }

    /**
     * Makes the next records part of the tables of the rebuild.
     *
     * @return how many there are behind them
     */
    private long advance(RebuildJob run, Projection projection) throws IOException {
        RebuildPositions.Positions before = positions.of(run, projection);
        RebuildEventReader.Read read = log.read(before, run.keysOf());
        if (!read.events().isEmpty()) {
            tables.use(() -> read.events().forEach(projection::apply));
        }
        return positions.note(run, before, read);
    }

    private void compare(RebuildJob run, Projection projection) {
        ShadowTables.Differences differences =
                tables.compare(projection, run.keysOf(), () -> catchUp(run, projection), MOST_DIFFERENCES);
        template.batchUpdate(
                "insert into projection_difference (rebuild, tenant, id) values (?, ?, ?)",
                differences.first().stream()
                        .map(different -> new Object[] {run.id(), different.tenant(), different.id()})
                        .toList());
        jdbc.sql("update projection_rebuild set differences = ? where id = ?")
                .params(differences.count(), run.id())
                .update();
        LOG.info("rebuild {} of {}: {} records differ", run.id(), run.projection(), differences.count());
        if (run.dryRun()) {
            tables.drop(projection);
            finish(run);
        } else {
            next(run, RebuildJob.Step.SWAP);
        }
    }

    private void swap(RebuildJob run, Projection projection) {
        tables.lock(projection);
        catchUp(run, projection);
        if (run.keysOf() == null) {
            tables.swap(projection);
        } else {
            tables.exchange(projection, run.id());
        }
        finish(run);
    }

    /** While nothing is projected. */
    private void catchUp(RebuildJob run, Projection projection) {
        try {
            long end = System.nanoTime() + CATCH_UP_NANOS;
            while (left(run, projection) > 0 && advance(run, projection) > 0) {
                if (System.nanoTime() > end) {
                    throw new TimeoutException("the log cannot be read");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void finish(RebuildJob run) {
        jdbc.sql(
                        """
                        update projection_rebuild
                        set state = 'DONE', updated_at = clock_timestamp(), finished_at = clock_timestamp()
                        where id = ? and state = 'RUNNING'""")
                .param(run.id())
                .update();
        LOG.info("rebuild {} of {} is done", run.id(), run.projection());
    }

    private void next(RebuildJob run, RebuildJob.Step step) {
        jdbc.sql(
                        "update projection_rebuild set step = ?, updated_at = clock_timestamp() where id = ? and state = 'RUNNING'")
                .params(step.name(), run.id())
                .update();
    }
}
