package routes.platform.step;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.Backoff;
import routes.platform.error.FailureClassifier;

/**
 * Runs the steps of {@link JobHandler jobs}. A step is one transaction that locks its job, so one instance runs it, and
 * another instance continues after a crash.
 *
 * <p>A failed step rolls back to a savepoint. The job's row stays locked until the backoff is committed, so no instance
 * retries early, and a cancellation waits. The runner retries while a dependency is down, and a few times after an
 * unknown failure. After that, and immediately after poison, the job is FAILED.
 */
@Component
public class StepRunner {

    /** SQL condition: the job's next step is due. */
    public static final String DUE = "state = 'RUNNING' and next_at <= clock_timestamp()";

    /** SQL clause: skips jobs that another instance has locked. */
    public static final String LOCK_ONE = "limit 1 for update skip locked";

    private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

    /** Longest run of steps without a pause, so that a shutdown does not wait for the end of a job. */
    private static final Duration MAX_RUN = Duration.ofSeconds(1);

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(250), Duration.ofSeconds(10));
    private static final int MAX_UNKNOWN_FAILURES = 5;

    private final JdbcClient jdbc;
    private final TransactionTemplate transaction;
    private final TransactionTemplate savepoint;
    private final FailureClassifier failures;

    StepRunner(JdbcClient jdbc, TransactionTemplate transaction, FailureClassifier failures) {
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.savepoint = new TransactionTemplate(Objects.requireNonNull(transaction.getTransactionManager()));
        this.savepoint.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
        this.failures = failures;
    }

    /**
     * Runs due steps, one after the other, for about a second at most.
     *
     * @return whether a step was due
     * @throws RuntimeException when the database fails
     */
    public <J extends JobHandler.Job> boolean runDueSteps(JobHandler<J> handler) {
        long end = System.nanoTime() + MAX_RUN.toNanos();
        boolean any = false;
        while (runNextDue(handler)) {
            any = true;
            if (System.nanoTime() - end >= 0) {
                break;
            }
        }
        return any;
    }

    private <J extends JobHandler.Job> boolean runNextDue(JobHandler<J> handler) {
        return Boolean.TRUE.equals(transaction.execute(status -> {
            Optional<J> due = handler.lockNextDue();
            due.ifPresent(job -> {
                try {
                    savepoint.executeWithoutResult(step -> runStep(handler, job));
                } catch (RuntimeException | Error e) {
                    handleFailure(handler, job, e);
                }
            });
            return due.isPresent();
        }));
    }

    private <J extends JobHandler.Job> void runStep(JobHandler<J> handler, J job) {
        try {
            handler.runStep(job);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (job.failures() > 0) {
            jdbc.sql("update " + handler.table() + " set failures = 0, unknown_failures = 0 where id = ?")
                    .param(job.id())
                    .update();
        }
    }

    private <J extends JobHandler.Job> void handleFailure(JobHandler<J> handler, J job, Throwable failure) {
        FailureClassifier.Kind kind = failures.kind(failure);
        boolean unknown = kind == FailureClassifier.Kind.UNKNOWN;
        if (unknown) {
            LOG.warn("{} {}: {}", handler.jobName(), job.id(), failures.stack(failure));
        }
        if (kind == FailureClassifier.Kind.POISON || unknown && job.unknownFailures() + 1 >= MAX_UNKNOWN_FAILURES) {
            markFailed(handler, job, failures.describe(failure));
        } else {
            backOff(handler, job, unknown, failures.describe(failure));
        }
    }

    private <J extends JobHandler.Job> void backOff(JobHandler<J> handler, J job, boolean unknown, String reason) {
        Duration backoff = BACKOFF.delay(job.failures() + 1);
        jdbc.sql(
                        """
                        update %s
                        set failures = failures + 1, unknown_failures = unknown_failures + ?,
                            next_at = clock_timestamp() + make_interval(secs => ?)
                        where id = ? and state = 'RUNNING'"""
                                .formatted(handler.table()))
                .params(unknown ? 1 : 0, backoff.toMillis() / 1000.0, job.id())
                .update();
        LOG.warn("{} {} retries its step in {} ms: {}", handler.jobName(), job.id(), backoff.toMillis(), reason);
    }

    private <J extends JobHandler.Job> void markFailed(JobHandler<J> handler, J job, String reason) {
        jdbc.sql(
                        """
                        update %s set state = 'FAILED', failure = ?, updated_at = clock_timestamp()
                        where id = ? and state = 'RUNNING'"""
                                .formatted(handler.table()))
                .params(reason, job.id())
                .update();
        handler.onFailed(job);
        LOG.error("{} {} failed: {}", handler.jobName(), job.id(), reason);
    }
}
