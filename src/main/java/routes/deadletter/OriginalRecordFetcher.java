package routes.deadletter;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.Sha256;
import routes.platform.contract.AsyncApi;
import routes.platform.event.RecordHeaders;
import routes.platform.http.HttpRequest;

/** Fetches the original record of a dead letter that lacks its value, key or headers. */
@Component("originalRecordFetcher")
class OriginalRecordFetcher {

    /** Exchange property: the {@link ConsumerRecord}; absent when the dead letter is whole, or the record is gone. */
    static final String RECORD = "originalRecord";

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final JdbcClient jdbc;
    private final KafkaComponent kafka;
    private final AsyncApi contract;
    private final ValueCodec values;

    OriginalRecordFetcher(JdbcClient jdbc, KafkaComponent kafka, AsyncApi contract, ValueCodec values) {
        this.jdbc = jdbc;
        this.kafka = kafka;
        this.contract = contract;
        this.values = values;
    }

    /** Sets {@link #RECORD}. Runs before the dead letter is locked, because a broker may answer late. */
    public void fetch(@org.apache.camel.Header("id") String id, Exchange exchange) {
        jdbc.sql("select " + StoredDeadLetter.COLUMNS_WITHOUT_VALUE + " from dead_letter where tenant = ? and id = ?")
                .params(HttpRequest.of(exchange).caller().tenant(), id)
                .query(StoredDeadLetter::of)
                .optional()
                .filter(stored -> stored.omitted() != null)
                .flatMap(this::recordOfSameTenant)
                .ifPresent(original -> exchange.setProperty(RECORD, original));
    }

    /**
     * Gives a dead letter without its value the tenant that its original record names. When that record is gone, the
     * tenant of the header stays.
     */
    DeadLetter resolveTenant(DeadLetter deadLetter) {
        return Optional.ofNullable(OmittedParts.of(
                        deadLetter.headers(), false, deadLetter.originalPartition(), deadLetter.originalOffset()))
                .flatMap(omitted -> find(deadLetter.originalTopic(), omitted))
                .map(original -> deadLetter.ofTenant(tenant(original)))
                .orElse(deadLetter);
    }

    /** Rejects a record of another tenant: somebody may have deleted and created the topic. */
    private Optional<ConsumerRecord<byte[], byte[]>> recordOfSameTenant(StoredDeadLetter stored) {
        return find(stored.topic(), stored.omitted())
                .filter(original -> tenant(original).equals(stored.tenant()));
    }

    private Optional<ConsumerRecord<byte[], byte[]>> find(String topic, OmittedParts omitted) {
        if (omitted.partition() == null
                || omitted.offset() == null
                || contract.channel(topic).isEmpty()) {
            return Optional.empty();
        }
        return read(new TopicPartition(topic, omitted.partition()), omitted.offset())
                .filter(original ->
                        omitted.valueSha256().equals(original.value() == null ? "" : Sha256.hex(original.value())));
    }

    private String tenant(ConsumerRecord<byte[], byte[]> original) {
        Header header = original.headers().lastHeader(RecordHeaders.TENANT);
        Object text = header == null
                ? null
                : ValueCodec.headersAsText(List.of(header)).get(RecordHeaders.TENANT);
        return values.tenant(original.value(), original.topic(), EventIdentity.tenantOrEmpty((String) text))
                .orElse(Caller.DEFAULT_TENANT);
    }

    private Optional<ConsumerRecord<byte[], byte[]>> read(TopicPartition partition, long offset) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            if (!hasOffset(consumer, partition, offset)) {
                return Optional.empty();
            }
            consumer.assign(Set.of(partition));
            consumer.seek(partition, offset);
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(TIMEOUT);
            if (polled.isEmpty() && consumer.position(partition, TIMEOUT) == offset) {
                throw new TimeoutException("no answer in time");
            }
            return polled.records(partition).stream()
                    .filter(polledRecord -> polledRecord.offset() == offset)
                    .findFirst();
        }
    }

    private static boolean hasOffset(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, long offset) {
        Set<TopicPartition> asked = Set.of(partition);
        return consumer.partitionsFor(partition.topic(), TIMEOUT).stream()
                        .anyMatch(info -> info.partition() == partition.partition())
                && offset >= consumer.beginningOffsets(asked, TIMEOUT).get(partition)
                && offset < consumer.endOffsets(asked, TIMEOUT).get(partition);
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        KafkaConfiguration configuration = kafka.getConfiguration();
        Properties config = configuration.createConsumerProperties();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, configuration.getBrokers());
        config.putAll(Map.of(
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                "false",
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "none",
                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                "read_committed",
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                1));
        config.remove(ConsumerConfig.GROUP_ID_CONFIG);
        config.remove(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG);
        config.remove(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
