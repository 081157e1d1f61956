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

/**
 * Classifies every failure of every route: poison, a dependency that is down, or unknown
 * ({@code docs/adr/0016-three-classes-of-failure.md}).
 */
@Component("failureClassifier")
public class FailureClassifier {

    /**
     * SQLSTATE classes of invalid data: data exception, integrity constraint violation, program limit exceeded (a value
     * too large for its index). All others, even a missing table, are faults of the database: the record can wait.
     */
    private static final Set<String> DATA = Set.of("22", "23", "54");

    private static final int SQL_CLASS = 2;

    /** HTTP statuses of a request that succeeds later. */
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
            // an operator has to add an ACL or a password
            AuthorizationException.class,
            AuthenticationException.class,
            // broker and producer disagree about their state; the producer starts over
            InvalidProducerEpochException.class,
            OutOfOrderSequenceException.class,
            ProducerFencedException.class,
            // this process stops, or the route stops or is replaced
            InterruptedException.class,
            InterruptException.class,
            WakeupException.class,
            CancellationException.class,
            RejectedExecutionException.class,
            DirectConsumerNotAvailableException.class);

    /** Exceptions about data that are IOExceptions. */
    private static final List<Class<? extends Throwable>> FORMATS =
            List.of(JacksonException.class, CharacterCodingException.class);

    private static final List<Class<? extends Throwable>> POISON = List.of(
            StreamReadException.class,
            MismatchedInputException.class,
            CharacterCodingException.class,
            // a rule of the route, in a step that validates
            ValidationException.class,
            DataIntegrityViolationException.class,
            RecordTooLargeException.class,
            RecordBatchTooLargeException.class,
            InvalidRecordException.class,
            SerializationException.class);

    /** Bounds a chain of causes that leads back to itself. */
    private static final int MAX_CAUSES = 100;

    private static final int MAX_STACK_CHARS = 8 * 1024;

    /** The frames of each throwable; few, so that the last cause is visible. */
    private static final int MAX_FRAMES = 20;

    /** Decides the reaction to a failure. */
    public enum Kind {
        /** Neither waiting nor a retry helps: the record is dead-lettered immediately. */
        POISON,
        /** The record is held until the dependency is back. */
        DEPENDENCY_DOWN,
        /** A bug, or an unclassified error: a bounded number of retries, then a dead letter. */
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
        ClassifiedException classified = find(failure, ClassifiedException.class);
        if (classified != null) {
            return classified.failureKind();
        }
        Error error = find(failure, Error.class);
        if (error != null) {
            return kind(error);
        }
        SQLException sql = find(failure, SQLException.class);
        if (sql != null) {
            return isAboutData(sql.getSQLState()) ? Kind.POISON : Kind.DEPENDENCY_DOWN;
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

    /**
     * A full heap or a missing class is not the message's fault; an exhausted stack means that it is nested too deeply.
     */
    private static Kind kind(Error error) {
        if (error instanceof StackOverflowError) {
            return Kind.POISON;
        }
        return error instanceof VirtualMachineError || error instanceof LinkageError
                ? Kind.DEPENDENCY_DOWN
                : Kind.UNKNOWN;
    }

    private static boolean isAboutData(String state) {
        return state != null && state.length() >= SQL_CLASS && DATA.contains(state.substring(0, SQL_CLASS));
    }

    private static boolean isOne(Throwable failure, List<Class<? extends Throwable>> classes) {
        return classes.stream().anyMatch(type -> type.isInstance(failure));
    }

    /** Returns whether waiting may help. */
    public boolean isDependencyDown(@ExchangeException Throwable failure) {
        return kind(failure) == Kind.DEPENDENCY_DOWN;
    }

    /** Returns whether the record itself is unreadable, so that no group's work has failed. */
    boolean isUnreadable(Throwable failure) {
        return find(failure, UnreadableRecordException.class) != null;
    }

    /** Returns the first throwable of a type among the failure and its causes, or null. */
    public <T extends Throwable> T find(Throwable failure, Class<T> type) {
        Optional<Throwable> found = causes(failure).filter(type::isInstance).findFirst();
        return found.map(type::cast).orElse(null);
    }

    private static boolean has(Throwable failure, Predicate<Throwable> condition) {
        return causes(failure).anyMatch(condition);
    }

    /** Returns the failure and its causes, the outermost first. */
    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MAX_CAUSES);
    }

    /** Returns our own exception when it is among the causes of a failure, or else the failure. */
    Throwable reason(Throwable failure) {
        return own(failure).orElse(failure);
    }

    /**
     * Returns the message of our own exception. Other messages repeat values, so it returns only their class and
     * SQLSTATE.
     */
    public String describe(Throwable failure) {
        Optional<Throwable> own = own(failure);
        if (own.isPresent()) {
            return own.get().getMessage();
        }
        SQLException sql = find(failure, SQLException.class);
        Throwable root = sql != null ? sql : root(failure);
        return root.getClass().getSimpleName() + (sql != null ? " (SQLSTATE " + sql.getSQLState() + ")" : "");
    }

    /** Returns the classes and first frames of a failure and its causes without messages, at most 8 KiB. */
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

    private static Optional<Throwable> own(Throwable failure) {
        return causes(failure)
                .filter(cause -> cause instanceof ProblemException || cause instanceof ClassifiedException)
                .findFirst();
    }

    private static Throwable root(Throwable failure) {
        return causes(failure).reduce(failure, (outer, inner) -> inner);
    }
}
