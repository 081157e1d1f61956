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
 * What follows from failures that nobody has classified: a record is tried again some times, then it is a dead letter. A route that makes
 * many of them in a short time is broken itself, as after a bad deploy, so its brake stops it: it makes no more of them, until one of the
 * records that it had to hold succeeds, or none of them has asked for a minute, for then another instance has them.
 */
@Component("unknownFailures")
public class UnknownFailures implements RoutePolicyFactory {

    private static final Logger LOG = LoggerFactory.getLogger(UnknownFailures.class);

    private static final long WINDOW_NANOS = Duration.ofMinutes(1).toNanos();

    private final Failures failures;
    private final Settings settings;
    private final MeterRegistry meters;
    private final LongSupplier nanos;

    /** By route, whatever edition of it runs: to exchange a route does not mend it. */
    private final Map<String, Brake> brakes = new ConcurrentHashMap<>();

    @Autowired
    UnknownFailures(Failures failures, Settings settings, MeterRegistry meters) {
        this(failures, settings, meters, System::nanoTime);
    }

    public UnknownFailures(Failures failures, Settings settings, MeterRegistry meters, LongSupplier nanos) {
        this.failures = failures;
        this.settings = settings;
        this.meters = meters;
        this.nanos = nanos;
    }

    /**
     * @param attempts how often a record is tried until it is a dead letter
     * @param brake how many such dead letters a route may make within a minute
     */
    @ConfigurationProperties("event-broker.unknown-failures")
    public record Settings(@DefaultValue("5") int attempts, @DefaultValue("20") int brake) {

        public Settings {
            Assert.isTrue(attempts >= 1, "event-broker.unknown-failures.attempts is less than 1");
            Assert.isTrue(brake >= 0, "event-broker.unknown-failures.brake is less than 0");
        }
    }

    /** Whether the record is to be tried again. */
    public boolean isRetried(Exchange exchange) {
        return isUnknown(exchange) && attempt(exchange) < settings.attempts();
    }

    /** @throws BrakeException when the failure is unknown and its route makes no dead letter of it any more */
    public void brake(Exchange exchange) {
        if (isUnknown(exchange)) {
            brake(exchange.getFromRouteId()).use(DeadLetters.position(exchange), reason(exchange));
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
        return failures.kind(caught(exchange)) == Failures.Kind.UNKNOWN;
    }

    private String reason(Exchange exchange) {
        return failures.describe(caught(exchange));
    }

    private static Throwable caught(Exchange exchange) {
        return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    }

    private static int attempt(Exchange exchange) {
        return 1 + exchange.getProperty(DeadLetters.UNKNOWN_FAILURES, 0, Integer.class);
    }

    private final class Brake extends RoutePolicySupport {

        private final String routeId;

        /** When, by the position of the record: a letter that could not be written is not counted again. */
        private final Map<String, Long> letters = new LinkedHashMap<>();

        private volatile boolean on;
        private volatile long refusedAt;

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
            on = isOn();
            if (on || more && letters.size() >= settings.brake()) {
                if (!on) {
                    LOG.error(
                            "brake: {} makes no more dead letters for unknown failures, after {} within a minute: {}",
                            routeId,
                            settings.brake(),
                            reason);
                }
                on = true;
                refusedAt = now;
                throw new BrakeException("%s made %d dead letters within a minute and makes no more: %s"
                        .formatted(routeId, settings.brake(), reason));
            }
            if (more) {
                letters.put(position, now);
            }
        }

        /** A record that is held asks every few seconds. */
        private boolean isOn() {
            return on && nanos.getAsLong() - refusedAt <= WINDOW_NANOS;
        }

        /** What had to be held has succeeded: the route works again. */
        @Override
        public void onExchangeDone(Route route, Exchange exchange) {
            if (on
                    && attempt(exchange) >= settings.attempts()
                    && exchange.getException() == null
                    && exchange.getProperty(Exchange.EXCEPTION_CAUGHT) == null) {
                release();
            }
        }

        private synchronized void release() {
            LOG.info("brake: {} works again", routeId);
            on = false;
            letters.clear();
        }
    }
}
