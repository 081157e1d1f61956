package routes.platform.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.support.DefaultExchange;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class UnknownFailurePolicyTest {

    private static final int LAST_ATTEMPT = 4;

    private final CamelContext camel = new DefaultCamelContext();
    private final AtomicLong now = new AtomicLong();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final UnknownFailurePolicy unknown = new UnknownFailurePolicy(
            new FailureClassifier(), new UnknownFailurePolicy.Settings(5, 2), meters, now::get);

    @Test
    void retriesARecordUpToItsAttempts() {
        assertThat(unknown.shouldRetry(failed(0, 0))).isTrue();
        assertThat(unknown.shouldRetry(failed(0, 3))).isTrue();
        assertThat(unknown.shouldRetry(failed(0, LAST_ATTEMPT))).isFalse();
        assertThat(unknown.shouldRetry(with(exchange(0, 0), new ProblemException(400, "wrong"))))
                .isFalse();
    }

    @Test
    void appliesTheBrakeBeyondTheLimitOfAMinute() {
        unknown.checkBrake(failed(1, LAST_ATTEMPT));
        unknown.checkBrake(failed(2, LAST_ATTEMPT));
        unknown.checkBrake(failed(2, LAST_ATTEMPT));

        assertThatThrownBy(() -> unknown.checkBrake(failed(3, LAST_ATTEMPT))).isInstanceOf(BrakeAppliedException.class);
        assertThat(brakes()).isEqualTo(1);
    }

    @Test
    void allowsSpreadOutDeadLettersBetweenSuccesses() {
        RoutePolicy policy = policy();
        for (int offset = 0; offset < 10; offset++) {
            unknown.checkBrake(failed(offset, LAST_ATTEMPT));
            policy.onExchangeDone(null, exchange(100 + offset, 0));
            now.addAndGet(Duration.ofSeconds(31).toNanos());
        }

        assertThat(brakes()).isZero();
    }

    @Test
    void stopsASlowRouteWithoutSuccesses() {
        for (int offset = 0; offset < 2; offset++) {
            unknown.checkBrake(failed(offset, LAST_ATTEMPT));
            now.addAndGet(Duration.ofMinutes(10).toNanos());
        }

        assertThatThrownBy(() -> unknown.checkBrake(failed(2, LAST_ATTEMPT)))
                .hasMessage(
                        "reader wrote 2 dead letters without a success between them and writes no more: NullPointerException");
    }

    @Test
    void keepsTheBrakeWhenAReplacementIsOnlyBuilt() {
        storm();
        policy();

        assertThat(brakes()).isEqualTo(1);
    }

    @Test
    void releasesTheBrakeWhenTheReplacementStarts() {
        storm();
        policy().onStart(null);

        assertThat(brakes()).isZero();
        assertThatCode(() -> unknown.checkBrake(failed(4, LAST_ATTEMPT))).doesNotThrowAnyException();
    }

    @Test
    void tellsTheRecordsFailureFromThatOfTheBrake() {
        storm();

        assertThatThrownBy(
                        () -> unknown.checkBrake(with(exchange(9, LAST_ATTEMPT), new UnsupportedOperationException())))
                .hasMessage("reader wrote 2 dead letters within a minute and writes no more: NullPointerException; "
                        + "this record: UnsupportedOperationException");
    }

    @Test
    void keepsTheBrakeWhileAHeldRecordFails() {
        storm();
        for (int minute = 0; minute < 60; minute++) {
            now.addAndGet(Duration.ofSeconds(59).toNanos());
            assertThatThrownBy(() -> unknown.checkBrake(failed(3, LAST_ATTEMPT)))
                    .isInstanceOf(BrakeAppliedException.class);
        }
    }

    @Test
    void releasesTheBrakeAfterAMinuteWithoutRetries() {
        storm();
        now.addAndGet(Duration.ofSeconds(61).toNanos());

        assertThat(brakes()).isZero();
        assertThatCode(() -> unknown.checkBrake(failed(4, LAST_ATTEMPT))).doesNotThrowAnyException();
    }

    @Test
    void releasesTheBrakeWhenAHeldRecordSucceeds() {
        RoutePolicy policy = storm();

        policy.onExchangeDone(null, exchange(3, LAST_ATTEMPT));

        assertThat(brakes()).isZero();
        assertThatCode(() -> unknown.checkBrake(failed(4, LAST_ATTEMPT))).doesNotThrowAnyException();
    }

    @Test
    void keepsTheBrakeWhenAnotherRecordSucceeds() {
        RoutePolicy policy = storm();

        policy.onExchangeDone(null, exchange(4, 0));
        policy.onExchangeDone(null, failed(3, LAST_ATTEMPT));
        Exchange held = exchange(3, LAST_ATTEMPT);
        held.setException(new BrakeAppliedException("again"));
        policy.onExchangeDone(null, held);

        assertThat(brakes()).isEqualTo(1);
    }

    @Test
    void stopsOnlyTheFailingRoute() {
        storm();
        Exchange other = failed(3, LAST_ATTEMPT);
        other.getExchangeExtension().setFromRouteId("other");

        assertThatCode(() -> unknown.checkBrake(other)).doesNotThrowAnyException();
    }

    @Test
    void neverBrakesPoison() {
        storm();

        assertThatCode(() -> unknown.checkBrake(with(exchange(3, 0), new ProblemException(400, "wrong"))))
                .doesNotThrowAnyException();
    }

    private RoutePolicy storm() {
        RoutePolicy policy = policy();
        unknown.checkBrake(failed(1, LAST_ATTEMPT));
        unknown.checkBrake(failed(2, LAST_ATTEMPT));
        assertThatThrownBy(() -> unknown.checkBrake(failed(3, LAST_ATTEMPT))).isInstanceOf(BrakeAppliedException.class);
        return policy;
    }

    private RoutePolicy policy() {
        return unknown.createRoutePolicy(camel, "reader", new RouteDefinition("kafka:topic"));
    }

    private double brakes() {
        return meters.get("event-broker.brake").tag("routeId", "reader").gauge().value();
    }

    private Exchange failed(long offset, int unknownFailures) {
        return with(exchange(offset, unknownFailures), new NullPointerException());
    }

    private static Exchange with(Exchange exchange, Exception caught) {
        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, caught);
        return exchange;
    }

    private Exchange exchange(long offset, int unknownFailures) {
        KafkaEndpoint reader = new KafkaEndpoint("kafka:topic", new KafkaComponent());
        reader.getConfiguration().setGroupId("group");
        Exchange exchange = new DefaultExchange(camel);
        exchange.getExchangeExtension().setFromEndpoint(reader);
        exchange.getExchangeExtension().setFromRouteId("reader");
        exchange.setProperty(DeadLetterChannel.UNKNOWN_FAILURES, unknownFailures);
        exchange.setProperty(DeadLetterChannel.RECORD, new ConsumerRecord<>("topic", 0, offset, null, null));
        return exchange;
    }
}
