package routes.platform.kafka;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.component.kafka.KafkaProducer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import routes.platform.error.FailureClassifier;
import routes.platform.error.RecordMessage;

/**
 * Combines the stock producer with our consumer. Refuses options that the consumer does not support, by their names.
 */
class PipelinedKafkaEndpoint extends KafkaEndpoint {

    private static final KafkaConfiguration DEFAULTS = new KafkaConfiguration();

    /** The only deserializer: a record that another one could not read would leave no bytes for its dead letter. */
    private static final String BYTES = ByteArrayDeserializer.class.getName();

    /** The only isolation level: records of an open or aborted transaction count as not written. */
    static final String COMMITTED_ONLY = "read_committed";

    /** The client properties that the consumer sets itself, or takes from an option of the URI. */
    private static final Set<String> OURS = Set.of(
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
            ConsumerConfig.AUTO_COMMIT_INTERVAL_MS_CONFIG,
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
            ConsumerConfig.GROUP_ID_CONFIG,
            ConsumerConfig.ISOLATION_LEVEL_CONFIG,
            ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
            ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG);

    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final boolean autoCommitAsked;

    PipelinedKafkaEndpoint(
            String uri,
            PipelinedKafkaComponent component,
            ConsumerSettings settings,
            FailureClassifier failures,
            boolean autoCommitAsked) {
        super(uri, component);
        this.settings = settings;
        this.failures = failures;
        this.autoCommitAsked = autoCommitAsked;
    }

    @Override
    public PipelinedKafkaComponent getComponent() {
        return (PipelinedKafkaComponent) super.getComponent();
    }

    /** @throws IllegalArgumentException for an option that the consumer does not support, with its name */
    @Override
    public Consumer createConsumer(Processor processor) throws Exception {
        refuseUnless(getConfiguration().getGroupId() != null, "groupId", "is missing");
        refuseUnless(
                !autoCommitAsked,
                "autoCommitEnable",
                "cannot be true: the consumer commits an offset when its record is completed");
        for (Option option : Option.values()) {
            refuseUnless(
                    Objects.equals(option.value.apply(getConfiguration()), option.value.apply(DEFAULTS)),
                    option.name(),
                    "is not supported");
        }
        refuseUnless(
                getConfiguration().getIsolationLevel() == null
                        || COMMITTED_ONLY.equals(getConfiguration().getIsolationLevel()),
                "isolationLevel",
                "is not " + COMMITTED_ONLY);
        refuseUnless(BYTES.equals(getConfiguration().getKeyDeserializer()), "keyDeserializer", "is not " + BYTES);
        refuseUnless(BYTES.equals(getConfiguration().getValueDeserializer()), "valueDeserializer", "is not " + BYTES);
        refuseUnless(
                getConfiguration().getGroupInstanceId() == null
                        || getConfiguration().getConsumersCount() == 1,
                "groupInstanceId",
                "names one member, consumersCount asks for more");
        for (String client : OURS) {
            refuseUnless(
                    !getConfiguration().getAdditionalProperties().containsKey(client),
                    "additionalProperties." + client,
                    "is not supported");
        }
        refuseUnless(getKafkaManualCommitFactory() == null, "kafkaManualCommitFactory", "is not supported");
        refuseUnless(!isBridgeErrorHandler(), "bridgeErrorHandler", "is not supported");
        refuseUnless(getExceptionHandler() == null, "exceptionHandler", "is not supported");
        PipelinedKafkaComponent component = getComponent();
        refuseUnless(component.getPollExceptionStrategy() == null, "pollExceptionStrategy", "is not supported");
        refuseUnless(
                component.getCreateConsumerBackoffMaxAttempts() == 0,
                "createConsumerBackoffMaxAttempts",
                "is not supported");
        refuseUnless(
                component.getSubscribeConsumerBackoffMaxAttempts() == 0,
                "subscribeConsumerBackoffMaxAttempts",
                "is not supported");
        refuseUnless(
                !component.isSubscribeConsumerTopicMustExists(),
                "subscribeConsumerTopicMustExists",
                "is not supported");
        PipelinedConsumer consumer = new PipelinedConsumer(this, processor, settings, failures);
        configureConsumer(consumer);
        return consumer;
    }

    /**
     * Sends asynchronously in the exchange of a record: it releases its thread until the broker acknowledges, so that
     * acknowledgements overlap. Any other exchange, of a request or in a transaction, stays on its thread.
     */
    @Override
    protected KafkaProducer createProducer(KafkaEndpoint endpoint) {
        return new KafkaProducer(endpoint) {
            @Override
            public List<Header> getPropagatedHeaders(Exchange exchange, Message message) {
                return message instanceof RecordMessage exact
                        ? exact.recordHeaders()
                        : super.getPropagatedHeaders(exchange, message);
            }

            @Override
            public boolean process(Exchange exchange, AsyncCallback callback) {
                if (exchange.getFromEndpoint() instanceof PipelinedKafkaEndpoint && !exchange.isTransacted()) {
                    return super.process(exchange, callback);
                }
                try {
                    process(exchange);
                } catch (Exception e) {
                    exchange.setException(e);
                }
                callback.done(true);
                return true;
            }
        };
    }

    private void refuseUnless(boolean supported, String option, String why) {
        if (!supported) {
            throw new IllegalArgumentException(
                    "kafka:%s: option %s %s".formatted(getConfiguration().getTopic(), option, why));
        }
    }

    /** Lists options of the stock consumer that have no meaning here, by their names in a URI. */
    enum Option {
        breakOnFirstError(KafkaConfiguration::isBreakOnFirstError),
        allowManualCommit(KafkaConfiguration::isAllowManualCommit),
        batchingIntervalMs(KafkaConfiguration::getBatchingIntervalMs),
        seekTo(KafkaConfiguration::getSeekTo),
        pollOnError(KafkaConfiguration::getPollOnError),
        pollTimeoutMs(KafkaConfiguration::getPollTimeoutMs),
        offsetRepository(KafkaConfiguration::getOffsetRepository),
        autoCommitIntervalMs(KafkaConfiguration::getAutoCommitIntervalMs),
        shutdownTimeout(KafkaConfiguration::getShutdownTimeout),
        specificAvroReader(KafkaConfiguration::isSpecificAvroReader),
        schemaRegistryURL(KafkaConfiguration::getSchemaRegistryURL);

        private final Function<KafkaConfiguration, Object> value;

        Option(Function<KafkaConfiguration, Object> value) {
            this.value = value;
        }
    }
}
