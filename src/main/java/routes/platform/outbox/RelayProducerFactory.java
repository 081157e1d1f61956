package routes.platform.outbox;

import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

/** Creates the relay's producer: the settings of {@code camel.component.kafka}, changed where order depends on them. */
@Component
class RelayProducerFactory {

    private static final int MAX_BLOCK_MS = 2000;
    private static final long MIN_BUFFER_RESERVE = 32L << 20;

    private final ObjectProvider<CamelContext> camel;
    private final OutboxSettings settings;

    /** @param camel a provider, because Spring would start the context before it has its routes */
    RelayProducerFactory(ObjectProvider<CamelContext> camel, OutboxSettings settings) {
        this.camel = camel;
        this.settings = settings;
    }

    Producer<byte[], byte[]> create() {
        KafkaConfiguration kafka =
                camel.getObject().getComponent("kafka", KafkaComponent.class).getConfiguration();
        Map<String, Object> config = new TreeMap<>(kafka.createProducerProperties().entrySet().stream()
                .collect(Collectors.toMap(entry -> entry.getKey().toString(), Map.Entry::getValue)));
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.getBrokers());
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 5);
        // a record that timed out would arrive after later records of its key, so none times out
        config.put(ProducerConfig.RETRIES_CONFIG, Integer.MAX_VALUE);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK_MS);
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, OutboxSender.BATCH_BYTES);
        // the producer measures before compression, so a topic's limit is no guide here
        int maxRecordBytes =
                Integer.parseInt(camel.getObject().resolvePropertyPlaceholders("{{event-broker.max-record-bytes}}"));
        config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, maxRecordBytes);
        config.put(
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                settings.maxBytes().toBytes() + Math.max(maxRecordBytes, MIN_BUFFER_RESERVE));
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
