package routes.platform.error;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.camel.ExchangeException;
import org.apache.camel.ExchangeTimedOutException;
import org.apache.camel.ValidationException;
import org.apache.camel.component.direct.DirectConsumerNotAvailableException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.NonTransientDataAccessResourceException;
import org.springframework.dao.PermissionDeniedDataAccessException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.stereotype.Component;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;
import org.springframework.transaction.TransactionTimedOutException;

/** Says of every failure, for every route, which of three classes it is of. What nobody has put into a class is unknown. */
@Component("failureClassifier")
public class FailureClassifier {

    /**
     * SQLSTATE classes that say something about the data: data exception, integrity constraint violation, program limit exceeded (a
     * value too large for its index). All others, a missing table too, say something about the database: the record can wait.
     */
    private static final Set<String> DATA = Set.of("22", "23", "54");

    private static final int SQL_CLASS = 2;

    /** Who asked too early, too often, or of somebody who is away. */
    private static final Set<Integer> TEMPORARY = Set.of(408, 429, 502, 503, 504);

    private static final int SERVER_ERROR = 500;

    private static final List<Class<? extends Throwable>> DOWN = List.of(
            IOException.class,
            TimeoutException.class,
            ExchangeTimedOutException.class,
            NonTransientDataAccessResourceException.class,
            TransientDataAccessException.class,
            RecoverableDataAccessException.class,
            PermissionDeniedDataAccessException.class,
            CannotCreateTransactionException.class,
            TransactionTimedOutException.class,
            TransactionSystemException.class,
            RetriableException.class,
            // an ACL or a password is missing: that is not the record's fault
            AuthorizationException.class,
            AuthenticationException.class,
            // what a broker and a producer know of each other; the producer begins anew
            InvalidProducerEpochException.class,
            OutOfOrderSequenceException.class,
            ProducerFencedException.class,
            // this process, or the route, is stopping or being exchanged
            InterruptedException.class,
            InterruptException.class,
            WakeupException.class,
            CancellationException.class,
            RejectedExecutionException.class,
            DirectConsumerNotAvailableException.class);

    /** Data formats are IOExceptions too, and say nothing about a line or a disk. */
    private static final List<Class<? extends Throwable>> FORMATS =
            List.of(JacksonException.class, CharacterCodingException.class);

    private static final List<Class<? extends Throwable>> POISON = List.of(
            StreamReadException.class,
            MismatchedInputException.class,
            CharacterCodingException.class,
            // a step that validates: the route's own rule
            ValidationException.class,
            DataIntegrityViolationException.class,
            RecordTooLargeException.class,
            RecordBatchTooLargeException.class,
            InvalidRecordException.class,
            SerializationException.class);

    /** A cause may lead back to its effect. */
    private static final int MAX_CAUSES = 100;

    private static final int MAX_STACK_CHARS = 8 * 1024;

    /** Of each throwable, so that the last cause is seen too. */
    private static final int MAX_FRAMES = 20;

    /** What follows from a failure. */
    public enum Kind {
        /** The record can never be handled, by waiting or by trying again: it is a dead letter at once. */
        POISON,
        /** The record waits until the dependency is back, and is no dead letter because of it. */
        DEPENDENCY_DOWN,
        /** A bug, or an error that nobody has classified: a bounded number of retries, then a dead letter. */
        UNKNOWN
    }

    public Kind kind(Throwable failure) {
        if (isUnreadable(failure)) {
            return Kind.POISON;
        }
        ProblemException problem = find(failure, ProblemException.class);
        if (problem != null) {
            return kind(problem);
        }
        Error error = find(failure, Error.class);
        if (error != null) {
            return kind(error);
        }
        SQLException sql = find(failure, SQLException.class);
        if (sql != null) {
            return isOfTheData(sql.getSQLState()) ? Kind.POISON : Kind.DEPENDENCY_DOWN;
        }
        if (has(failure, cause -> isOne(cause, DOWN) && !isOne(cause, FORMATS))) {
            return Kind.DEPENDENCY_DOWN;
        }
        return has(failure, cause -> isOne(cause, POISON)) ? Kind.POISON : Kind.UNKNOWN;
    }

    private static Kind kind(ProblemException problem) {
        if (TEMPORARY.contains(problem.status())) {
            return Kind.DEPENDENCY_DOWN;
        }
        return problem.status() < SERVER_ERROR ? Kind.POISON : Kind.UNKNOWN;
    }

    /** A full heap or a missing class says nothing about the message; only its depth can exhaust the stack. */
    private static Kind kind(Error error) {
        if (error instanceof StackOverflowError) {
            return Kind.POISON;
        }
        return error instanceof VirtualMachineError || error instanceof LinkageError
                ? Kind.DEPENDENCY_DOWN
                : Kind.UNKNOWN;
    }

    private static boolean isOfTheData(String state) {
        return state != null && state.length() >= SQL_CLASS && DATA.contains(state.substring(0, SQL_CLASS));
    }

    private static boolean isOne(Throwable failure, List<Class<? extends Throwable>> classes) {
        return classes.stream().anyMatch(type -> type.isInstance(failure));
    }

    /** Whether waiting may help. */
    public boolean isDependencyDown(@ExchangeException Throwable failure) {
        return kind(failure) == Kind.DEPENDENCY_DOWN;
    }

    /** Whether it is nobody's work that failed: the record itself cannot be read. */
    boolean isUnreadable(Throwable failure) {
        return find(failure, UnreadableRecordException.class) != null;
    }

    /** The first throwable of that type among the failure and its causes, or null. */
    public <T extends Throwable> T find(Throwable failure, Class<T> type) {
        Optional<Throwable> found = causes(failure).filter(type::isInstance).findFirst();
        return found.map(type::cast).orElse(null);
    }

    private static boolean has(Throwable failure, Predicate<Throwable> condition) {
        return causes(failure).anyMatch(condition);
    }

    /** The failure and its causes, the outermost first. */
    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MAX_CAUSES);
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
        for (Throwable t : causes(failure).toList()) {
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
        return causes(failure).reduce(failure, (outer, inner) -> inner);
    }
}
