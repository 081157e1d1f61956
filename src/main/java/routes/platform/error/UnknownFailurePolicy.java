package routes.platform.error;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.stereotype.Component;
import org.springframework.util.Assert;

/**
 * Retries a record with an unknown failure a few times, and then lets it be dead-lettered. The brake of a route is a
 * circuit breaker: it stops a route that makes many such dead letters, as after a bad deployment. A success of a held
 * record releases the brake, as {@code docs/adr/0016-three-classes-of-failure.md} explains.
 */
@Component("unknownFailurePolicy")
public class UnknownFailurePolicy implements RoutePolicyFactory {

    private static final Logger LOG = LoggerFactory.getLogger(UnknownFailurePolicy.class);

    private static final long WINDOW_NANOS = Duration.ofMinutes(1).toNanos();

    private final FailureClassifier failures;
    private final Settings settings;
    private final MeterRegistry meters;
    private final LongSupplier nanos;

    /** By route id: the brake outlives a replaced route. */
    private final Map<String, Brake> brakes = new ConcurrentHashMap<>();

    @Autowired
    UnknownFailurePolicy(FailureClassifier failures, Settings settings, MeterRegistry meters) {
        this(failures, settings, meters, System::nanoTime);
    }

    public UnknownFailurePolicy(
            FailureClassifier failures, Settings settings, MeterRegistry meters, LongSupplier nanos) {
        this.failures = failures;
        this.settings = settings;
        this.meters = meters;
        this.nanos = nanos;
    }

    /**
     * @param attempts the attempts for a record before it becomes a dead letter
     * @param brake the most such dead letters of a route within a minute, or without a success between them
     */
    @ConfigurationProperties("event-broker.unknown-failures")
    public record Settings(@DefaultValue("5") int attempts, @DefaultValue("20") int brake) {

        public Settings {
            Assert.isTrue(attempts >= 1, "event-broker.unknown-failures.attempts is less than 1");
            Assert.isTrue(brake >= 0, "event-broker.unknown-failures.brake is less than 0");
        }
    }

    /** Returns whether the record is retried. */
    public boolean shouldRetry(Exchange exchange) {
        return isUnknown(exchange) && attempt(exchange) < settings.attempts();
    }

    /** @throws BrakeAppliedException when the failure is unknown and the brake of its route is applied */
    public void checkBrake(Exchange exchange) {
        if (isUnknown(exchange)) {
            brake(exchange.getFromRouteId()).check(DeadLetterChannel.position(exchange), reason(exchange));
        }
    }

    @Override
    public RoutePolicy createRoutePolicy(CamelContext camel, String routeId, NamedNode route) {
        boolean reads = route instanceof RouteDefinition definition
                && definition.getInput().getEndpointUri().startsWith("kafka:");
        return reads ? brake(routeId) : null;
    }

    private Brake brake(String routeId) {
        return brakes.computeIfAbsent(routeId, Brake::new);
    }

    private boolean isUnknown(Exchange exchange) {
        return failures.kind(caught(exchange)) == FailureClassifier.Kind.UNKNOWN;
    }

    private String reason(Exchange exchange) {
        return failures.describe(caught(exchange));
    }

    private static Throwable caught(Exchange exchange) {
        return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    }

    private static int attempt(Exchange exchange) {
        return 1 + exchange.getProperty(DeadLetterChannel.UNKNOWN_FAILURES, 0, Integer.class);
    }

    private final class Brake extends RoutePolicySupport {

        private final String routeId;

        /** The times of dead letters by record position, so that a rewritten dead letter counts once. */
        private final Map<String, Long> deadLetters = new LinkedHashMap<>();

        /** Dead letters since the last success. */
        private volatile int inARow;

        private volatile boolean applied;
        private volatile long refusedAt;
        private String why;

        private Brake(String routeId) {
            this.routeId = routeId;
            Gauge.builder("event-broker.brake", this, brake -> brake.isInForce() ? 1 : 0)
                    .tag("routeId", routeId)
                    .register(meters);
        }

        private synchronized void check(String position, String reason) {
            long now = nanos.getAsLong();
            deadLetters.values().removeIf(made -> now - made > WINDOW_NANOS);
            boolean more = !deadLetters.containsKey(position);
            if (applied && !isInForce()) {
                release("no held record was retried for a minute");
            }
            if (!applied && more && deadLetters.size() >= settings.brake()) {
                apply("%s wrote %d dead letters within a minute and writes no more: %s"
                        .formatted(routeId, settings.brake(), reason));
            } else if (!applied && more && inARow >= settings.brake()) {
                apply("%s wrote %d dead letters without a success between them and writes no more: %s"
                        .formatted(routeId, settings.brake(), reason));
            }
            if (applied) {
                refusedAt = now;
                throw new BrakeAppliedException(why.endsWith(": " + reason) ? why : why + "; this record: " + reason);
            }
            if (more) {
                deadLetters.put(position, now);
                inARow++;
            }
        }

        private void apply(String trip) {
            LOG.error("brake: {}", trip);
            why = trip;
            applied = true;
        }

        /** Releases the brake of a route that starts again, perhaps without its fault. */
        @Override
        public synchronized void onStart(Route route) {
            if (applied) {
                release("the route was replaced");
            }
            inARow = 0;
        }

        /** Returns false after a minute without a retry: a held record retries every few seconds. */
        private boolean isInForce() {
            return applied && nanos.getAsLong() - refusedAt <= WINDOW_NANOS;
        }

        @Override
        public void onExchangeDone(Route route, Exchange exchange) {
            if ((applied || inARow > 0)
                    && exchange.getException() == null
                    && exchange.getProperty(Exchange.EXCEPTION_CAUGHT) == null) {
                succeeded(attempt(exchange) >= settings.attempts());
            }
        }

        /** @param held whether the brake had held the record: then the route works again */
        private synchronized void succeeded(boolean held) {
            inARow = 0;
            if (applied && held) {
                release("a held record succeeded");
            }
        }

        private void release(String because) {
            LOG.info("brake: {} is released: {}", routeId, because);
            applied = false;
            inARow = 0;
            deadLetters.clear();
        }
    }
}
