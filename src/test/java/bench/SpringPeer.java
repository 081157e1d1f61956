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
 * Uses Spring Kafka as a team would: a container with a consumer for each partition, its error handler, and its dead
 * letters. The handler recovers poison messages at once. The listener is an interface instead of an annotated method,
 * which saves the search for arguments. Both favour the peer.
 */
abstract class SpringPeer implements Side {

    private static final int PARTITIONS = 6;

    /** Longer than the work of a poll. */
    private static final Duration STOP = Duration.ofSeconds(20);

    protected final KafkaTemplate<byte[], byte[]> template;

    private final String brokers;
    private final Transform transform = new Transform();
    private ConcurrentMessageListenerContainer<byte[], byte[]> container;

    /**
     * @param linger milliseconds that the producer waits for more to send; nothing to a listener that waits for each
     *     record
     */
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
        // without a seek the listener gets the records behind the poison message as they are; with one, asynchronous
        // acknowledgements wait forever
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
