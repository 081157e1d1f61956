package routes.platform.error;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Set;
import org.apache.camel.ExchangeException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.RetriableException;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;

/**
 * Tells poison from a dependency that is down, for every route. Poison never becomes right by waiting: it is dead-lettered at once.
 * A dependency comes back: the message waits for it, and no message is dead-lettered because of it.
 */
@Component("failures")
public class Failures {

    /**
     * SQLSTATE classes that say something about the data: data exception, integrity constraint violation, program limit exceeded (a
     * value too large for its index). All others, a missing table too, say something about the database: the record can wait.
     */
    private static final Set<String> DATA = Set.of("22", "23", "54");

    private static final int MAX_STACK_CHARS = 8 * 1024;

    /** Of each throwable, so that the last cause is seen too. */
    private static final int MAX_FRAMES = 20;

    /** What follows from a failure. */
    public enum Kind {
        /** The record can never be handled: it is a dead letter at once. */
        POISON,
        /** The record waits until the dependency is back. */
        DEPENDENCY_DOWN,
        /** A bug, or an error that nobody has classified: a bounded number of retries, then a dead letter. */
        UNKNOWN
    }

    public Kind kind(Throwable failure) {
        if (find(failure, ProblemException.class) != null) {
            return Kind.POISON;
        }
        // a full heap or a missing class says nothing about the message; only its depth can exhaust the stack
        Error error = find(failure, Error.class);
        if (error != null) {
            return error instanceof StackOverflowError ? Kind.POISON : Kind.DEPENDENCY_DOWN;
        }
        SQLException sql = find(failure, SQLException.class);
        if (sql != null) {
            return sql.getSQLState() == null || !DATA.contains(sql.getSQLState().substring(0, 2))
                    ? Kind.DEPENDENCY_DOWN
                    : Kind.POISON;
        }
        if (find(failure, DataIntegrityViolationException.class) != null) {
            return Kind.POISON;
        }
        boolean down = find(failure, DataAccessException.class) != null
                || find(failure, TransactionException.class) != null
                || find(failure, RetriableException.class) != null
                // an ACL or a password is missing: that is not the record's fault
                || find(failure, AuthorizationException.class) != null
                || find(failure, AuthenticationException.class) != null
                || find(failure, IOException.class) != null;
        return down ? Kind.DEPENDENCY_DOWN : Kind.UNKNOWN;
    }

    /** Whether waiting may help. */
    public boolean isDependencyDown(@ExchangeException Throwable failure) {
        return kind(failure) == Kind.DEPENDENCY_DOWN;
    }

    /** The first throwable of that type among the failure and its causes, or null. */
    public <T extends Throwable> T find(Throwable failure, Class<T> type) {
        for (Throwable t = failure; t != null; t = t.getCause() == t ? null : t.getCause()) {
            if (type.isInstance(t)) {
                return type.cast(t);
            }
        }
        return null;
    }

    /** What to tell of a failure: our own problem when there is one among its causes, whoever has wrapped it. */
    Throwable reason(Throwable failure) {
        ProblemException problem = find(failure, ProblemException.class);
        return problem != null ? problem : failure;
    }

    /** What may be shown of a failure: our own messages, and of others only the class and SQLSTATE, for they repeat values. */
    public String describe(Throwable failure) {
        ProblemException problem = find(failure, ProblemException.class);
        if (problem != null) {
            return problem.getMessage();
        }
        SQLException sql = find(failure, SQLException.class);
        Throwable root = sql != null ? sql : root(failure);
        return root.getClass().getSimpleName() + (sql != null ? " (SQLSTATE " + sql.getSQLState() + ")" : "");
    }

    /** The classes and first frames of a failure and its causes without their messages, at most 8 KiB. */
    public String stack(Throwable failure) {
        StringBuilder stack = new StringBuilder();
        for (Throwable t = failure; t != null; t = t.getCause() == t ? null : t.getCause()) {
            stack.append(stack.isEmpty() ? "" : "Caused by: ")
                    .append(t.getClass().getName())
                    .append('\n');
            Arrays.stream(t.getStackTrace())
                    .limit(MAX_FRAMES)
                    .forEach(frame -> stack.append("\tat ").append(frame).append('\n'));
        }
        return stack.substring(0, Math.min(stack.length(), MAX_STACK_CHARS));
    }

    private static Throwable root(Throwable failure) {
        Throwable t = failure;
        while (t.getCause() != null && t.getCause() != t) {
            t = t.getCause();
        }
        return t;
    }
}
