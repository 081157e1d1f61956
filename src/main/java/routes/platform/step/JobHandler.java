package routes.platform.step;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/**
 * Handles long-running jobs of one kind, step by step. A job is a row of a table with the columns {@code id},
 * {@code state} (RUNNING until it ends), {@code next_at}, {@code failures}, {@code unknown_failures}, {@code failure}
 * and {@code updated_at}.
 *
 * @param <J> the row, with the columns that a step needs
 */
public interface JobHandler<J extends JobHandler.Job> {

    /** The columns that the runner needs of every job. */
    interface Job {

        UUID id();

        /** Failures of the next step since the last step that succeeded. */
        int failures();

        /** The unclassified ones among them. */
        int unknownFailures();
    }

    /** The word for a job in log lines. */
    String jobName();

    String table();

    /**
     * Selects one job by {@link StepRunner#DUE} and locks it with {@link StepRunner#LOCK_ONE}; empty when none is due.
     */
    Optional<J> lockNextDue();

    /**
     * Runs the next step of a job and saves its progress, in the transaction that locks the job.
     *
     * @throws IOException when a dependency does not answer
     */
    void runStep(J job) throws IOException;

    /** Cleans up, in the transaction that sets the job to FAILED. */
    default void onFailed(J job) {}
}
