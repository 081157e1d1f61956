package bench;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.ExponentialBackOff;
import routes.platform.error.ProblemException;

/**
 * What a team would write with Spring Kafka: a container with a consumer for each partition, its error handler, which recovers poison at once, and its
 * dead letters. The listener is an interface and no annotated method, which saves the search for arguments; both are in the peer's favour.
 */
abstract class SpringPeer implements Side {

    private static final int PARTITIONS = 6;

    /** Longer than it takes to finish what a poll brought. */
    private static final Duration STOP = Duration.ofSeconds(20);

    protected final KafkaTemplate<byte[], byte[]> template;

    private final String brokers;
    private final Transform transform = new Transform();
    private ConcurrentMessageListenerContainer<byte[], byte[]> container;

    /** @param linger milliseconds that the producer waits for more to send; nothing to a listener that waits for each record */
    SpringPeer(String brokers, int linger) {
        this.brokers = brokers;
        template = new KafkaTemplate<>(new DefaultKafkaProducerFactory<>(
                Map.of(
                        "bootstrap.servers",
                        brokers,
                        "acks",
                        "all",
                        "enable.idempotence",
                        "true",
                        "linger.ms",
                        linger,
                        "batch.size",
                        131_072,
                        "buffer.memory",
                        67_108_864L),
                new ByteArraySerializer(),
                new ByteArraySerializer()));
    }

    /** Sets the listener, and how it acknowledges. */
    abstract void listen(ContainerProperties properties, String sink);

    @Override
    public final void start(String source, String sink, String group) {
        ContainerProperties properties = new ContainerProperties(source);
        properties.setGroupId(group);
        properties.setShutdownTimeout(STOP.toMillis());
        listen(properties, sink);
        DefaultErrorHandler errors = new DefaultErrorHandler(
                new DeadLetterPublishingRecoverer(
                        template, (record, e) -> new TopicPartition(record.topic() + ".dlq", record.partition())),
                new ExponentialBackOff());
        errors.addNotRetryableExceptions(ProblemException.class);
        // what is behind the poison is handed over as it is; with a seek, asynchronous acknowledgements wait for it for
        // ever
        errors.setSeekAfterError(false);
        container = new ConcurrentMessageListenerContainer<>(
                new DefaultKafkaConsumerFactory<>(
                        Map.of(
                                "bootstrap.servers",
                                brokers,
                                "enable.auto.commit",
                                false,
                                "auto.offset.reset",
                                "earliest",
                                "max.poll.records",
                                2000),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer()),
                properties);
        container.setConcurrency(PARTITIONS);
        container.setCommonErrorHandler(errors);
        container.start();
    }

    @Override
    public final void stop() {
        container.stop();
    }

    /** @throws ProblemException when it is poison */
    final byte[] answer(ConsumerRecord<byte[], byte[]> message) {
        return transform.write(transform.read(message.value()));
    }
}
