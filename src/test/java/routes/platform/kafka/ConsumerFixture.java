package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.springframework.boot.actuate.health.Health;
import org.springframework.util.unit.DataSize;
import routes.platform.error.FailureClassifier;
import sandbox.Servers;
import sandbox.Topics;

/** Runs routes with our consumer against a real broker, on a topic of the test. Each Camel context is an instance. */
abstract class ConsumerFixture {

    static final String BROKERS = Servers.shared().properties().get("camel.component.kafka.brokers");

    final String topic = "consumer-it-" + UUID.randomUUID();
    final String group = "group-of-" + topic;
    final List<String> seen = new CopyOnWriteArrayList<>();
    final List<CamelContext> contexts = new ArrayList<>();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    Admin admin;

    @BeforeEach
    void open() throws Exception {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(40));
        admin = Admin.create(Map.of("bootstrap.servers", BROKERS));
        Topics.create(admin, 4, topic);
    }

    @AfterEach
    void close() throws Exception {
        contexts.forEach(CamelContext::stop);
        admin.deleteTopics(List.of(topic)).all().get();
        admin.close();
        await("no thread is left").untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet().stream()
                        .map(Thread::getName)
                        .filter(name -> name.contains(group)))
                .isEmpty());
        assertThat(meters.getMeters()).isEmpty();
    }

    PipelinedKafkaComponent run(String options, Processor handler) throws Exception {
        return run(options, null, handler);
    }

    /** @param onException the route's handler of failures, or null */
    PipelinedKafkaComponent run(String options, Processor onException, Processor handler) throws Exception {
        ConsumerSettings settings = new ConsumerSettings(
                8,
                400,
                DataSize.ofMegabytes(4),
                4,
                Duration.ofMillis(50),
                Duration.ofMillis(500),
                Duration.ofMillis(100),
                Duration.ofSeconds(1));
        PipelinedKafkaComponent kafka = new PipelinedKafkaComponent(
                settings,
                contexts.isEmpty() ? meters : new SimpleMeterRegistry(),
                new FailureClassifier(),
                () -> admin);
        DefaultCamelContext camel = new DefaultCamelContext();
        contexts.add(camel);
        camel.getShutdownStrategy().setTimeout(2);
        camel.addComponent("kafka", kafka);
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                if (onException == null) {
                    errorHandler(noErrorHandler());
                } else {
                    onException(Exception.class).handled(true).process(onException);
                }
                from(("kafka:%s?brokers=%s&groupId=%s"
                                        + "&keyDeserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer"
                                        + "&valueDeserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer%s")
                                .formatted(
                                        topic,
                                        BROKERS,
                                        group,
                                        options.contains("autoOffsetReset")
                                                ? options
                                                : options + "&autoOffsetReset=earliest"))
                        .routeId("it")
                        .process(handler);
            }
        });
        camel.start();
        return kafka;
    }

    static Health health(PipelinedKafkaComponent kafka) {
        return new ConsumersHealth(kafka, new FailureClassifier()).health();
    }

    void send(int count, int keys) throws Exception {
        send(0, count, keys);
    }

    /** Sends records n with the key k(n mod keys) and the value n. */
    void send(int from, int count, int keys) throws Exception {
        try (var producer = producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = from; i < from + count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, bytes("k" + i % keys), bytes(String.valueOf(i)))));
            }
            for (Future<RecordMetadata> record : sent) {
                record.get();
            }
        }
    }

    static KafkaProducer<byte[], byte[]> producer() {
        return new KafkaProducer<>(
                Map.of("bootstrap.servers", BROKERS), new ByteArraySerializer(), new ByteArraySerializer());
    }

    void note(Exchange exchange) {
        seen.add(key(exchange) + " " + exchange.getMessage().getBody(String.class));
    }

    static String key(Exchange exchange) {
        return key(exchange.getMessage());
    }

    static String key(Message message) {
        return new String(message.getHeader(KafkaConstants.KEY, byte[].class), StandardCharsets.UTF_8);
    }

    static String text(Message message) {
        return new String(message.getBody(byte[].class), StandardCharsets.UTF_8);
    }

    /** Compares first occurrences, because a rebalance may repeat a record. */
    void assertOrderPerKey(int count, int keys) {
        Map<String, List<Integer>> byKey = new HashMap<>();
        new LinkedHashSet<>(seen)
                .forEach(record -> byKey.computeIfAbsent(record.split(" ")[0], key -> new ArrayList<>())
                        .add(Integer.valueOf(record.split(" ")[1])));
        assertThat(byKey).hasSize(keys);
        assertThat(byKey.values()).allSatisfy(values -> assertThat(values).isSorted());
        assertThat(byKey.values().stream().mapToInt(List::size).sum()).isEqualTo(count);
    }

    long committed() throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        return offsets.values().stream().mapToLong(OffsetAndMetadata::offset).sum();
    }

    /** Returns the lag of Kafka's own tools: the end of the log, markers included, less the committed offset. */
    long lag() throws Exception {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        admin.describeTopics(List.of(topic))
                .allTopicNames()
                .get()
                .get(topic)
                .partitions()
                .forEach(
                        partition -> latest.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest()));
        return admin.listOffsets(latest).all().get().values().stream()
                        .mapToLong(end -> end.offset())
                        .sum()
                - committed();
    }

    double gauge(String name) {
        return meters.get("event-broker.consumer." + name).gauge().value();
    }

    double counter(String name) {
        return meters.get("event-broker.consumer." + name).functionCounter().count();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
