package routes.platform.step;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/**
 * Work of one kind that is done in steps. A piece of it is a row of a table that has the columns {@code id}, {@code state} (RUNNING until
 * it has ended), {@code next_at}, {@code failures}, {@code unknown_failures}, {@code failure} and {@code updated_at}.
 *
 * @param <R> the row, as a step needs it
 */
public interface StepWork<R extends StepWork.Row> {

    /** What the runner needs of a row. */
    interface Row {

        UUID id();

        /** How often the step that comes next has failed. */
        int failures();

        /** How often for a reason that nobody has classified. */
        int unknownFailures();
    }

    /** What a row is called in the log. */
    String name();

    String table();

    /** The row whose turn it is, with {@link StepRunner#DUE} and locked with {@link StepRunner#LOCK_ONE}; empty when there is none. */
    Optional<R> lockDue();

    /**
     * Takes the next step of a row, and notes progress in it. All of it is one transaction, which has locked the row.
     *
     * @throws IOException when what it needs does not answer
     */
    void step(R row) throws IOException;

    /** Cleans up, in the transaction that makes the row FAILED. */
    default void failed(R row) {}
}
