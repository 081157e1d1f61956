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

/** Fetches from its topic the record of a letter that had to be written without its value. */
@Component("omittedValueFetcher")
class OmittedValueFetcher {

    /** Exchange property: the {@link ConsumerRecord}; none when nothing is omitted, or the record is no longer there. */
    static final String RECORD = "omittedRecord";

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final JdbcClient jdbc;
    private final KafkaComponent kafka;
    private final AsyncApi contract;
    private final ValueFormats values;

    OmittedValueFetcher(JdbcClient jdbc, KafkaComponent kafka, AsyncApi contract, ValueFormats values) {
        this.jdbc = jdbc;
        this.kafka = kafka;
        this.contract = contract;
        this.values = values;
    }

    /** Before the letter is locked: a broker may take its time. */
    public void fetch(@org.apache.camel.Header("id") String id, Exchange exchange) {
        jdbc.sql("select " + DeadLetterReprocessor.Sendable.columns("null::bytea")
                        + " from dead_letter where tenant = ? and id = ?")
                .params(HttpRequest.of(exchange).caller().tenant(), id)
                .query(DeadLetterReprocessor.Sendable::of)
                .optional()
                .filter(letter -> letter.omitted() != null)
                .flatMap(this::record)
                .ifPresent(record -> exchange.setProperty(RECORD, record));
    }

    /**
     * A letter that was written without its value belongs to the tenant that the value names, which is in its topic; when it is gone, to that of
     * the header.
     */
    DeadLetter withItsTenant(DeadLetter letter) {
        return Optional.ofNullable(
                        OmittedValue.of(letter.headers(), false, letter.originalPartition(), letter.originalOffset()))
                .flatMap(omitted -> record(letter.originalTopic(), omitted))
                .map(record -> letter.ofTenant(tenant(record)))
                .orElse(letter);
    }

    /** What is there may be another record, of a topic that was made anew or of another tenant. */
    private Optional<ConsumerRecord<byte[], byte[]>> record(DeadLetterReprocessor.Sendable letter) {
        return record(letter.topic(), letter.omitted())
                .filter(record -> tenant(record).equals(letter.tenant()));
    }

    private Optional<ConsumerRecord<byte[], byte[]>> record(String topic, OmittedValue omitted) {
        if (omitted.partition() == null
                || omitted.offset() == null
                || contract.channel(topic).isEmpty()) {
            return Optional.empty();
        }
        return read(new TopicPartition(topic, omitted.partition()), omitted.offset())
                .filter(record ->
                        omitted.valueSha256().equals(record.value() == null ? "" : Sha256.hex(record.value())));
    }

    private String tenant(ConsumerRecord<byte[], byte[]> record) {
        Header header = record.headers().lastHeader(RecordHeaders.TENANT);
        Object text = header == null
                ? null
                : DeadLetterReprocessor.headersAsText(List.of(header)).get(RecordHeaders.TENANT);
        return values.tenant(record.value(), record.topic(), Envelope.tenant((String) text))
                .orElse(Caller.DEFAULT_TENANT);
    }

    private Optional<ConsumerRecord<byte[], byte[]>> read(TopicPartition partition, long offset) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            boolean exists = consumer.partitionsFor(partition.topic(), PATIENCE).stream()
                    .anyMatch(info -> info.partition() == partition.partition());
            if (!exists
                    || offset
                            < consumer.beginningOffsets(Set.of(partition), PATIENCE)
                                    .get(partition)
                    || offset
                            >= consumer.endOffsets(Set.of(partition), PATIENCE).get(partition)) {
                return Optional.empty();
            }
            consumer.assign(Set.of(partition));
            consumer.seek(partition, offset);
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(PATIENCE);
            if (polled.isEmpty() && consumer.position(partition, PATIENCE) == offset) {
                throw new TimeoutException("no answer in time");
            }
            return polled.records(partition).stream()
                    .filter(record -> record.offset() == offset)
                    .findFirst();
        }
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
