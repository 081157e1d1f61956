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
 * What follows from unknown failures: a record is tried again some times, then it is a dead letter. A route that makes many such letters within a
 * minute, or in a row, is broken itself, as after a bad deploy. Then its brake stops it: it makes no more of them. The brake lets go when a record
 * that it holds succeeds, when the route is exchanged, or when no held record has been retried for a minute, since another instance has them then.
 */
@Component("unknownFailurePolicy")
public class UnknownFailurePolicy implements RoutePolicyFactory {

    private static final Logger LOG = LoggerFactory.getLogger(UnknownFailurePolicy.class);

    private static final long WINDOW_NANOS = Duration.ofMinutes(1).toNanos();

    private final FailureClassifier failures;
    private final Settings settings;
    private final MeterRegistry meters;
    private final LongSupplier nanos;

    /** By route, whatever edition of it runs. */
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
     * @param attempts how often a record is tried until it is a dead letter
     * @param brake how many such dead letters a route may make within a minute, or without a success between them
     */
    @ConfigurationProperties("event-broker.unknown-failures")
    public record Settings(@DefaultValue("5") int attempts, @DefaultValue("20") int brake) {

        public Settings {
            Assert.isTrue(attempts >= 1, "event-broker.unknown-failures.attempts is less than 1");
            Assert.isTrue(brake >= 0, "event-broker.unknown-failures.brake is less than 0");
        }
    }

    /** Whether the record is to be tried again. */
    public boolean shouldRetry(Exchange exchange) {
        return isUnknown(exchange) && attempt(exchange) < settings.attempts();
    }

    /** @throws BrakeAppliedException when the failure is unknown and its route makes no dead letter of it any more */
    public void checkBrake(Exchange exchange) {
        if (isUnknown(exchange)) {
            brake(exchange.getFromRouteId()).use(DeadLetterChannel.position(exchange), reason(exchange));
        }
    }

    @Override
    public RoutePolicy createRoutePolicy(CamelContext camel, String routeId, NamedNode route) {
        boolean reads = route instanceof RouteDefinition definition
                && definition.getInput().getEndpointUri().startsWith("kafka:");
        if (!reads) {
            return null;
        }
        Brake brake = brake(routeId);
        brake.begin();
        return brake;
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

        /** When, by the position of the record: a letter that could not be written is not counted again. */
        private final Map<String, Long> letters = new LinkedHashMap<>();

        /** Since the last success. */
        private volatile int inARow;

        private volatile boolean on;
        private volatile long refusedAt;
        private String why;

        private Brake(String routeId) {
            this.routeId = routeId;
            Gauge.builder("event-broker.brake", this, brake -> brake.isOn() ? 1 : 0)
                    .tag("routeId", routeId)
                    .register(meters);
        }

        private synchronized void use(String position, String reason) {
            long now = nanos.getAsLong();
            letters.values().removeIf(made -> now - made > WINDOW_NANOS);
            boolean more = !letters.containsKey(position);
            if (on && !isOn()) {
                release("no held record was retried for a minute");
            }
            if (!on && more && letters.size() >= settings.brake()) {
                apply("%s made %d dead letters within a minute and makes no more: %s"
                        .formatted(routeId, settings.brake(), reason));
            } else if (!on && more && inARow >= settings.brake()) {
                apply("%s made %d dead letters without a success between them and makes no more: %s"
                        .formatted(routeId, settings.brake(), reason));
            }
            if (on) {
                refusedAt = now;
                throw new BrakeAppliedException(why.endsWith(": " + reason) ? why : why + "; this record: " + reason);
            }
            if (more) {
                letters.put(position, now);
                inARow++;
            }
        }

        private void apply(String trip) {
            LOG.error("brake: {}", trip);
            why = trip;
            on = true;
        }

        /** A route is there anew, at the start or exchanged. */
        private synchronized void begin() {
            if (on) {
                release("the route was exchanged");
            }
            inARow = 0;
        }

        /** A record that is held asks every few seconds. */
        private boolean isOn() {
            return on && nanos.getAsLong() - refusedAt <= WINDOW_NANOS;
        }

        @Override
        public void onExchangeDone(Route route, Exchange exchange) {
            if ((on || inARow > 0)
                    && exchange.getException() == null
                    && exchange.getProperty(Exchange.EXCEPTION_CAUGHT) == null) {
                succeeded(attempt(exchange) >= settings.attempts());
            }
        }

        /** @param held whether it is a record that the brake had to hold: then the route works again */
        private synchronized void succeeded(boolean held) {
            inARow = 0;
            if (on && held) {
                release("a held record succeeded");
            }
        }

        private void release(String because) {
            LOG.info("brake: {} is released: {}", routeId, because);
            on = false;
            inARow = 0;
            letters.clear();
        }
    }
}
