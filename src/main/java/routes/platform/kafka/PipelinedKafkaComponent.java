package routes.platform.kafka;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.support.PropertyBindingSupport;
import org.apache.camel.util.PropertiesHelper;
import org.apache.kafka.clients.admin.Admin;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;
import routes.platform.error.FailureClassifier;

/**
 * Replaces Camel's component for {@code kafka:} by a bean of the same name, and gives its endpoints our consumer.
 * Spring Boot configures it like the stock component.
 */
@Component("kafka")
@org.apache.camel.spi.annotations.Component("kafka")
class PipelinedKafkaComponent extends KafkaComponent {

    private final ConsumerSettings settings;
    private final MeterRegistry meters;
    private final FailureClassifier failures;
    private final ConsumerLag lag;
    private final Map<PipelinedConsumer, List<Meter>> running = new ConcurrentHashMap<>();

    @Autowired
    PipelinedKafkaComponent(
            ConsumerSettings settings, MeterRegistry meters, FailureClassifier failures, ObjectProvider<Admin> admin) {
        this(settings, meters, failures, (Supplier<Admin>) admin::getObject);
    }

    /** @param admin resolved late, because the admin client takes its configuration from this component */
    PipelinedKafkaComponent(
            ConsumerSettings settings, MeterRegistry meters, FailureClassifier failures, Supplier<Admin> admin) {
        this.lag = new ConsumerLag(admin, this::running);
        this.settings = settings;
        this.meters = meters;
        this.failures = failures;
    }

    /** Repeats the superclass, which cannot make another class of endpoint. */
    @Override
    protected KafkaEndpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
            throws Exception {
        if (remaining == null || remaining.isEmpty()) {
            throw new IllegalArgumentException("Topic must be configured on endpoint using syntax kafka:topic");
        }
        Map<String, Object> additional = PropertiesHelper.extractProperties(parameters, "additionalProperties.");
        boolean autoCommitAsked = Boolean.parseBoolean(String.valueOf(parameters.get("autoCommitEnable")));
        KafkaEndpoint endpoint = new PipelinedKafkaEndpoint(uri, this, settings, failures, autoCommitAsked);
        endpoint.setConfiguration(getConfiguration().copy());
        setProperties(endpoint, parameters);
        if (endpoint.getConfiguration().getSslContextParameters() == null) {
            endpoint.getConfiguration().setSslContextParameters(retrieveGlobalSslContextParameters());
        }
        if (!additional.isEmpty()) {
            Map<String, Object> resolved = new HashMap<>();
            PropertyBindingSupport.bindProperties(getCamelContext(), resolved, additional);
            endpoint.getConfiguration().getAdditionalProperties().putAll(resolved);
        }
        if (endpoint.getConfiguration().getTopic() == null) {
            endpoint.getConfiguration().setTopic(remaining);
        }
        return endpoint;
    }

    Stream<PipelinedConsumer> running() {
        return running.keySet().stream();
    }

    void started(PipelinedConsumer consumer) {
        running.put(
                consumer,
                List.of(
                        gauge(consumer, "in.flight", null, sum(PartitionDispatcher::inFlightRecords)),
                        gauge(consumer, "in.flight.bytes", null, sum(PartitionDispatcher::inFlightBytes)),
                        FunctionCounter.builder("event-broker.consumer.records.lost", consumer, c -> c.lost()
                                        .count())
                                .tags(tags(consumer))
                                .register(meters),
                        gauge(consumer, "held.keys", null, sum(PartitionDispatcher::heldKeys)),
                        gauge(
                                consumer,
                                "held.partitions",
                                null,
                                sum(dispatcher -> dispatcher.holdReason().isPresent() ? 1 : 0)),
                        gauge(consumer, "failing.members", null, c -> c.members().stream()
                                .filter(member -> member.failure() != null)
                                .count()),
                        gauge(consumer, "lag", null, lag::of),
                        gauge(
                                consumer,
                                "oldest",
                                "seconds",
                                c -> c.members().stream()
                                                .flatMap(member -> member.dispatchers().values().stream())
                                                .mapToLong(PartitionDispatcher::oldestAge)
                                                .max()
                                                .orElse(0)
                                        / (double) TimeUnit.SECONDS.toNanos(1))));
    }

    void stopped(PipelinedConsumer consumer) {
        List<Meter> gauges = running.remove(consumer);
        if (gauges != null) {
            gauges.forEach(meters::remove);
        }
    }

    private static ToDoubleFunction<PipelinedConsumer> sum(ToDoubleFunction<PartitionDispatcher> value) {
        return consumer -> consumer.members().stream()
                .flatMap(member -> member.dispatchers().values().stream())
                .mapToDouble(value)
                .sum();
    }

    private Meter gauge(
            PipelinedConsumer consumer, String name, String unit, ToDoubleFunction<PipelinedConsumer> value) {
        return Gauge.builder("event-broker.consumer." + name, consumer, value)
                .baseUnit(unit)
                .tags(tags(consumer))
                .register(meters);
    }

    private static Tags tags(PipelinedConsumer consumer) {
        return Tags.of("group", consumer.group(), "routeId", consumer.getRouteId());
    }
}
