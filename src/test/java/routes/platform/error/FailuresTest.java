package routes.platform.error;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.net.ConnectException;
import java.sql.SQLException;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.CannotCreateTransactionException;

class FailuresTest {

    private final Failures failures = new Failures();

    static Stream<Throwable> dependencyDown() {
        return Stream.of(
                new DataAccessResourceFailureException("connection refused"),
                new CannotCreateTransactionException("pool"),
                new RuntimeException(new SQLException("the server is shutting down", "57P01")),
                new RuntimeException(new SQLException("deadlock", "40P01")),
                new RuntimeException(new SQLException("no state")),
                new TimeoutException("no acknowledgement"),
                new TopicAuthorizationException("not allowed"),
                new SaslAuthenticationException("wrong password"),
                new RuntimeException(new ConnectException("refused")),
                new EOFException(),
                new RuntimeException(new OutOfMemoryError()),
                new NoClassDefFoundError());
    }

    static Stream<Throwable> poison() {
        return Stream.of(
                new ProblemException(400, "/payload: wrong"),
                new RuntimeException(new ProblemException(409, "refused")),
                new DataIntegrityViolationException("duplicate"),
                new RuntimeException(new SQLException("invalid byte sequence", "22021")),
                new RuntimeException(new SQLException("index row too large", "54000")),
                new RuntimeException(new SQLException("duplicate key", "23505")),
                new RecordTooLargeException("too large"),
                new StackOverflowError(),
                new NullPointerException());
    }

    @ParameterizedTest
    @MethodSource
    void dependencyDown(Throwable failure) {
        assertThat(failures.isDependencyDown(failure)).isTrue();
    }

    @ParameterizedTest
    @MethodSource
    void poison(Throwable failure) {
        assertThat(failures.isDependencyDown(failure)).isFalse();
    }

    @Test
    void neverRepeatsTheMessageOfAnyoneElse() {
        Throwable failure =
                new IllegalStateException("patient Zoë", new SQLException("Key (name)=(Zoë) exists", "23505"));

        assertThat(failures.describe(failure)).isEqualTo("SQLException (SQLSTATE 23505)");
        assertThat(failures.stack(failure))
                .startsWith("java.lang.IllegalStateException\n\tat ")
                .contains("Caused by: java.sql.SQLException\n")
                .doesNotContain("Zoë");
    }

    @Test
    void cutsAStackTraceAt8KiB() {
        Throwable failure = new IllegalStateException();
        for (int i = 0; i < 20; i++) {
            failure = new IllegalStateException(failure);
        }

        assertThat(failures.stack(failure)).hasSize(8 * 1024);
    }
}
