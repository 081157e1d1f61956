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
import routes.platform.error.FailureClassifier;

/**
 * Takes the steps of {@link StepWork}. A step is one transaction that locks its row: so any instance can take any step, exactly one takes
 * each, and when an instance dies the others go on where its last transaction ended.
 *
 * <p>A step that fails is rolled back to a savepoint, and its row notes when the step is tried again: all instances keep to that. The row stays
 * locked until the note is committed, so no other instance takes the step in between, and a cancellation waits. The runner retries a step for as
 * long as a dependency is down, and a few times after a failure of unknown kind. Then, and at once after poison, the row is FAILED.
 */
@Component
public class StepRunner {

    /** Of a row whose step may be taken now. */
    public static final String DUE = "state = 'RUNNING' and next_at <= clock_timestamp()";

    /** Passes over the rows of which another instance takes a step. */
    public static final String LOCK_ONE = "limit 1 for update skip locked";

    private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

    /** For how long steps are taken before the clock starts the route anew, so that a stop does not wait for the end of the work. */
    private static final Duration TURN = Duration.ofSeconds(1);

    /** After a step that failed, doubled each time: what it waits for, a reader or a server, may be there for long. */
    private static final Duration BACKOFF = Duration.ofMillis(250);

    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(10);
    private static final int MOST_DOUBLINGS = 10;

    /** Tries of a step that fails for an unknown reason. */
    private static final int UNKNOWN_FAILURES = 5;

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
     * Takes the steps that are due, of all rows, for at most about a second.
     *
     * @return whether there was one
     * @throws RuntimeException when it cannot be known or noted: the database
     */
    public <R extends StepWork.Row> boolean turn(StepWork<R> work) {
        long end = System.nanoTime() + TURN.toNanos();
        boolean any = false;
        while (step(work)) {
            any = true;
            if (System.nanoTime() - end >= 0) {
                break;
            }
        }
        return any;
    }

    private <R extends StepWork.Row> boolean step(StepWork<R> work) {
        return Boolean.TRUE.equals(transaction.execute(status -> {
            Optional<R> due = work.lockDue();
            due.ifPresent(row -> {
                try {
                    savepoint.executeWithoutResult(step -> step(work, row));
                } catch (RuntimeException | Error e) {
                    failed(work, row, e);
                }
            });
            return due.isPresent();
        }));
    }

    private <R extends StepWork.Row> void step(StepWork<R> work, R row) {
        try {
            work.step(row);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (row.failures() > 0) {
            jdbc.sql("update " + work.table() + " set failures = 0, unknown_failures = 0 where id = ?")
                    .param(row.id())
                    .update();
        }
    }

    private <R extends StepWork.Row> void failed(StepWork<R> work, R row, Throwable failure) {
        FailureClassifier.Kind kind = failures.kind(failure);
        boolean unknown = kind == FailureClassifier.Kind.UNKNOWN;
        if (unknown) {
            LOG.warn("{} {}: {}", work.name(), row.id(), failures.stack(failure));
        }
        if (kind == FailureClassifier.Kind.POISON || unknown && row.unknownFailures() + 1 >= UNKNOWN_FAILURES) {
            end(work, row, failures.describe(failure));
        } else {
            putOff(work, row, unknown, failures.describe(failure));
        }
    }

    private <R extends StepWork.Row> void putOff(StepWork<R> work, R row, boolean unknown, String why) {
        Duration backoff = BACKOFF.multipliedBy(1L << Math.min(row.failures(), MOST_DOUBLINGS));
        backoff = backoff.compareTo(LONGEST_BACKOFF) < 0 ? backoff : LONGEST_BACKOFF;
        jdbc.sql(
                        """
                        update %s
                        set failures = failures + 1, unknown_failures = unknown_failures + ?,
                            next_at = clock_timestamp() + make_interval(secs => ?)
                        where id = ? and state = 'RUNNING'"""
                                .formatted(work.table()))
                .params(unknown ? 1 : 0, backoff.toMillis() / 1000.0, row.id())
                .update();
        LOG.warn("{} {}: tries again in {} ms after {}", work.name(), row.id(), backoff.toMillis(), why);
    }

    private <R extends StepWork.Row> void end(StepWork<R> work, R row, String why) {
        jdbc.sql(
                        """
                        update %s set state = 'FAILED', failure = ?, updated_at = clock_timestamp()
                        where id = ? and state = 'RUNNING'"""
                                .formatted(work.table()))
                .params(why, row.id())
                .update();
        work.failed(row);
        LOG.error("{} {} failed: {}", work.name(), row.id(), why);
    }
}
