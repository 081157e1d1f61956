package routes.platform.error;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.platform.error.FailureClassifier.Kind.DEPENDENCY_DOWN;
import static routes.platform.error.FailureClassifier.Kind.POISON;
import static routes.platform.error.FailureClassifier.Kind.UNKNOWN;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.InvalidDefinitionException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.http.HttpTimeoutException;
import java.nio.charset.MalformedInputException;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeTimedOutException;
import org.apache.camel.InvalidPayloadException;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.ValidationException;
import org.apache.camel.component.direct.DirectConsumerNotAvailableException;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.dao.EmptyResultDataAccessException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.IllegalTransactionStateException;

class FailureClassifierTest {

    private static final Exchange EXCHANGE = new DefaultExchange(new DefaultCamelContext());

    private final FailureClassifier failures = new FailureClassifier();

    static Stream<Arguments> classifiesAFailure() {
        return Stream.of(
                // the platform's own
                Arguments.of(POISON, new ProblemException(400, "/payload: wrong")),
                Arguments.of(POISON, new RuntimeException(new ProblemException(409, "refused"))),
                Arguments.of(POISON, new UnreadableRecordException(new MalformedJsonException("empty"))),
                Arguments.of(POISON, new FailedRecordInBatchException(0, new ProblemException(400, "no key"))),
                Arguments.of(DEPENDENCY_DOWN, new ProblemException(503, "too many wait, try again")),
                Arguments.of(DEPENDENCY_DOWN, new ProblemException(429, "slowly")),
                Arguments.of(UNKNOWN, new ProblemException(500, "a query failed")),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new BrakeAppliedException("too many"))),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new DeadLetterException("t.dlq", "missing"))),
                Arguments.of(DEPENDENCY_DOWN, new FailedRecordInBatchException(0, new ConnectException("registry"))),
                // Java
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new ConnectException("refused"))),
                Arguments.of(DEPENDENCY_DOWN, new UncheckedIOException(new IOException("reset"))),
                Arguments.of(DEPENDENCY_DOWN, new EOFException()),
                Arguments.of(DEPENDENCY_DOWN, new HttpTimeoutException("slow")),
                Arguments.of(DEPENDENCY_DOWN, new ExecutionException(new java.util.concurrent.TimeoutException())),
                Arguments.of(DEPENDENCY_DOWN, new RejectedExecutionException("full")),
                Arguments.of(DEPENDENCY_DOWN, new CancellationException()),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new InterruptedException())),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new OutOfMemoryError())),
                Arguments.of(DEPENDENCY_DOWN, new NoClassDefFoundError()),
                Arguments.of(POISON, new StackOverflowError()),
                Arguments.of(POISON, new MalformedInputException(1)),
                Arguments.of(UNKNOWN, new AssertionError()),
                Arguments.of(UNKNOWN, new NullPointerException()),
                Arguments.of(UNKNOWN, new IllegalStateException("rolled back")),
                Arguments.of(UNKNOWN, new DateTimeException("no date")),
                Arguments.of(UNKNOWN, aCauseThatIsItsOwnEffect()),
                // Jackson: its exceptions are IOExceptions
                Arguments.of(POISON, new RuntimeException(new JsonParseException(null, "no JSON"))),
                Arguments.of(POISON, MismatchedInputException.from(null, String.class, "no text")),
                Arguments.of(
                        UNKNOWN, InvalidDefinitionException.from((JsonParser) null, "no serializer", (JavaType) null)),
                Arguments.of(
                        DEPENDENCY_DOWN,
                        new JsonMappingException(null, "while it was read", new SocketException("reset"))),
                // the database
                Arguments.of(DEPENDENCY_DOWN, new DataAccessResourceFailureException("connection refused")),
                Arguments.of(DEPENDENCY_DOWN, new QueryTimeoutException("slow")),
                Arguments.of(DEPENDENCY_DOWN, new CannotCreateTransactionException("pool")),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new SQLException("shutting down", "57P01"))),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new SQLException("deadlock", "40P01"))),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new SQLException("no such table", "42P01"))),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new SQLException("no state"))),
                Arguments.of(DEPENDENCY_DOWN, new RuntimeException(new SQLException("a short state", "2"))),
                Arguments.of(POISON, new DataIntegrityViolationException("duplicate")),
                Arguments.of(POISON, new RuntimeException(new SQLException("invalid byte sequence", "22021"))),
                Arguments.of(POISON, new RuntimeException(new SQLException("index row too large", "54000"))),
                Arguments.of(POISON, new RuntimeException(new SQLException("duplicate key", "23505"))),
                Arguments.of(
                        POISON,
                        new RuntimeException(new SQLException("cannot bind", "22023", new IOException("too large")))),
                Arguments.of(UNKNOWN, new EmptyResultDataAccessException(1)),
                Arguments.of(UNKNOWN, new InvalidDataAccessApiUsageException("a bug")),
                Arguments.of(UNKNOWN, new IllegalTransactionStateException("no transaction")),
                // Kafka
                Arguments.of(DEPENDENCY_DOWN, new TimeoutException("no acknowledgement")),
                Arguments.of(DEPENDENCY_DOWN, new NotEnoughReplicasException("one is missing")),
                Arguments.of(DEPENDENCY_DOWN, new TopicAuthorizationException("not allowed")),
                Arguments.of(DEPENDENCY_DOWN, new SaslAuthenticationException("wrong password")),
                Arguments.of(DEPENDENCY_DOWN, new InvalidProducerEpochException("another epoch")),
                Arguments.of(DEPENDENCY_DOWN, new OutOfOrderSequenceException("a batch is missing")),
                Arguments.of(DEPENDENCY_DOWN, new InterruptException("stopping")),
                Arguments.of(UNKNOWN, new UnknownServerException("unexpected")),
                Arguments.of(UNKNOWN, new KafkaException("something")),
                Arguments.of(UNKNOWN, new InvalidTopicException("a space in it")),
                Arguments.of(POISON, new RecordTooLargeException("too large")),
                Arguments.of(POISON, new RecordBatchTooLargeException("too large")),
                Arguments.of(POISON, new InvalidRecordException("no key in a compacted topic")),
                Arguments.of(POISON, new SerializationException("no bytes")),
                // Camel
                Arguments.of(
                        DEPENDENCY_DOWN, new CamelExecutionException("direct:a", EXCHANGE, new ConnectException("x"))),
                Arguments.of(DEPENDENCY_DOWN, new ExchangeTimedOutException(EXCHANGE, 1)),
                Arguments.of(DEPENDENCY_DOWN, new DirectConsumerNotAvailableException("being exchanged", EXCHANGE)),
                Arguments.of(POISON, new RuntimeCamelException(new ValidationException(EXCHANGE, "quantity > 0"))),
                Arguments.of(UNKNOWN, new RuntimeCamelException(new NullPointerException())),
                Arguments.of(UNKNOWN, new InvalidPayloadException(EXCHANGE, String.class)));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource
    void classifiesAFailure(FailureClassifier.Kind kind, Throwable failure) {
        assertThat(failures.kind(failure)).isEqualTo(kind);
        assertThat(failures.isDependencyDown(failure)).isEqualTo(kind == DEPENDENCY_DOWN);
    }

    private static Throwable aCauseThatIsItsOwnEffect() {
        IllegalStateException effect = new IllegalStateException();
        effect.initCause(new IllegalArgumentException(effect));
        return effect;
    }

    /** A failure that knows its class. */
    private static final class Classified extends ClassifiedException {

        private final FailureClassifier.Kind kind;

        private Classified(FailureClassifier.Kind kind) {
            super("the FHIR server refuses Patient/1");
            this.kind = kind;
        }

        @Override
        public FailureClassifier.Kind failureKind() {
            return kind;
        }
    }

    @ParameterizedTest
    @EnumSource
    void believesAFailureThatKnowsItsClass(FailureClassifier.Kind kind) {
        Throwable failure = new RuntimeException(new Classified(kind));

        assertThat(failures.kind(failure)).isEqualTo(kind);
        assertThat(failures.describe(failure)).isEqualTo("the FHIR server refuses Patient/1");
        assertThat(failures.reason(failure)).isInstanceOf(Classified.class);
    }

    @Test
    void tellsUnreadableFromRefusedRecords() {
        assertThat(failures.isUnreadable(new FailedRecordInBatchException(
                        0, new UnreadableRecordException(new MalformedJsonException("empty")))))
                .isTrue();
        assertThat(failures.isUnreadable(new MalformedJsonException("empty"))).isFalse();
    }

    @Test
    void describesTheProblemAndNotItsWrappers() {
        Throwable failure =
                new FailedRecordInBatchException(0, new UnreadableRecordException(new MalformedJsonException("empty")));

        assertThat(failures.describe(failure)).isEqualTo("empty");
        assertThat(failures.stack(failures.reason(failure)))
                .startsWith("routes.platform.error.MalformedJsonException\n");
    }

    @Test
    void neverRepeatsAForeignMessage() {
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
