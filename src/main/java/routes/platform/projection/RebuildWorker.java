package routes.platform.projection;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.step.JobHandler;
import routes.platform.step.StepRunner;

/** Picks due rebuilds, runs their {@link RebuildSteps}, and holds a Kafka client while a rebuild runs. */
@Component("rebuildWorker")
class RebuildWorker implements JobHandler<RebuildJob>, AutoCloseable {

    private final Map<String, Projection> projections;
    private final StepRunner runner;
    private final RebuildSteps steps;
    private final JdbcClient jdbc;
    private final RebuildEventReader log;

    /** Guards the client; a shutdown does not wait for a long comparison. */
    private final ReentrantLock running = new ReentrantLock();

    RebuildWorker(
            List<Projection> projections,
            StepRunner runner,
            RebuildSteps steps,
            JdbcClient jdbc,
            RebuildEventReader log) {
        this.projections = projections.stream().collect(Collectors.toMap(Projection::name, Function.identity()));
        this.runner = runner;
        this.steps = steps;
        this.jdbc = jdbc;
        this.log = log;
    }

    /** Runs the due steps of all rebuilds, for about a second at most. */
    public void runDueSteps() {
        running.lock();
        try {
            if (!runner.runDueSteps(this)) {
                closeIdleReader();
            }
        } finally {
            running.unlock();
        }
    }

    @Override
    public void close() {
        if (running.tryLock()) {
            try {
                log.close();
            } finally {
                running.unlock();
            }
        }
    }

    /** Keeps the client while any rebuild runs: the next step may be due here. */
    private void closeIdleReader() {
        if (log.isOpen()
                && !jdbc.sql("select exists (select 1 from projection_rebuild where state = 'RUNNING')")
                        .query(Boolean.class)
                        .single()) {
            log.close();
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
    public void runStep(RebuildJob job) throws IOException {
        boolean done = false;
        try {
            steps.run(job, projections.get(job.projection()));
            done = true;
        } finally {
            if (!done) {
                // the client's position and the cached keys may belong to the rolled-back step
                log.close();
            }
        }
    }

    @Override
    public void onFailed(RebuildJob job) {
        steps.abandon(job, projections.get(job.projection()));
    }
}
