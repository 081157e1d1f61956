package routes.platform.event;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Headers;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.avro.AvroCodec;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.ProblemException;
import routes.platform.error.SchemaViolationException;
import routes.platform.error.UnreadableRecordException;
import routes.platform.http.CorrelationId;

/** Reads events from records, as the first step of every entry route. */
@Component("eventReader")
public class EventReader {

    /** The timestamp of a record that has none. */
    private static final long UNKNOWN = -1;

    private static final List<String> LINK_HEADERS = List.of(RecordHeaders.CORRELATION_ID, RecordHeaders.CAUSATION_ID);

    private final AsyncApi contract;
    private final AvroCodec avro;
    private final Clock clock;

    @Autowired
    public EventReader(AsyncApi contract, AvroCodec avro) {
        this(contract, avro, Clock.systemUTC());
    }

    EventReader(AsyncApi contract, AvroCodec avro, Clock clock) {
        this.contract = contract;
        this.avro = avro;
        this.clock = clock;
    }

    /**
     * Reads every record of a batch, and replaces the value of each message by its event.
     *
     * @throws FailedRecordInBatchException for the first record that violates the contract, or that needs a schema
     *     while the registry does not answer
     */
    public List<Message> readAll(@Body List<Message> records, Exchange exchange) {
        if (records.size() == 1) {
            exchange.setProperty(
                    CorrelationId.PROPERTY,
                    RecordHeaders.usableText(records.get(0).getHeaders(), RecordHeaders.CORRELATION_ID));
        }
        for (int i = 0; i < records.size(); i++) {
            Message message = records.get(i);
            try {
                message.setBody(readable(
                        message.getBody(byte[].class), message.getHeader(KafkaConstants.TOPIC, String.class), message));
            } catch (UnreadableRecordException | RegistryUnavailableException e) {
                throw new FailedRecordInBatchException(i, e);
            }
        }
        return records;
    }

    /**
     * Decodes the value and checks it against the schema of its topic.
     *
     * @return the event, which becomes the body
     * @throws UnreadableRecordException when the record violates the contract
     * @throws RegistryUnavailableException when it needs a schema and the registry does not answer
     */
    public Event<?> read(
            @Body byte[] value,
            @org.apache.camel.Header(KafkaConstants.TOPIC) String topic,
            @Headers Map<String, Object> headers,
            Exchange exchange)
            throws RegistryUnavailableException {
        // first, so that log lines about poison have the correlation id of its record
        exchange.setProperty(CorrelationId.PROPERTY, RecordHeaders.usableText(headers, RecordHeaders.CORRELATION_ID));
        Event<?> event = readable(value, topic, exchange.getMessage());
        exchange.setProperty(CorrelationId.PROPERTY, event.metadata().correlationId());
        return event;
    }

    private Event<?> readable(byte[] value, String topic, Message record) throws RegistryUnavailableException {
        try {
            Event<?> event = decode(
                    value, topic, record.getHeaders(), record.getHeader(KafkaConstants.TIMESTAMP, UNKNOWN, Long.class));
            dropUnusable(record);
            return event;
        } catch (ProblemException | StackOverflowError e) {
            throw new UnreadableRecordException(e);
        }
    }

    /** Blanks unusable headers, so that the next step that sends a record does not pass them on. */
    private static void dropUnusable(Message record) {
        for (String name : LINK_HEADERS) {
            if (record.getHeader(name) != null && RecordHeaders.usableText(record.getHeaders(), name) == null) {
                record.setHeader(name, "");
            }
        }
    }

    /**
     * Decodes and checks a record that no route has read.
     *
     * @throws ProblemException when it violates the contract
     * @throws RegistryUnavailableException when it needs a schema and the registry does not answer
     */
    public Event<?> decode(ConsumerRecord<byte[], byte[]> record) throws RegistryUnavailableException {
        Map<String, Object> headers = new HashMap<>();
        for (Header header : record.headers()) {
            headers.put(
                    header.key(), header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8));
        }
        return decode(record.value(), record.topic(), headers, record.timestamp());
    }

    /**
     * Checks a JSON value before it is sent, exactly as the consumers of its topic do: they can read every value that
     * it accepts.
     *
     * @param headers of the record, as text
     * @throws ProblemException when it violates the contract
     */
    public void requireReadable(byte[] value, String topic, Map<String, Object> headers) {
        ClockSkewLimit.check(json(value, topic, headers).metadata().timestamp(), clock);
    }

    /**
     * Decodes and checks a value. A null value, a tombstone, is poison: in a stream of events it deletes nothing.
     *
     * @param headers of the record, as text
     * @param written the timestamp of the record, epoch milliseconds; negative when unknown, for now
     * @throws ProblemException when it violates the contract: poison
     * @throws RegistryUnavailableException when it needs a schema and the registry does not answer
     */
    public Event<?> decode(byte[] value, String topic, Map<String, Object> headers, long written)
            throws RegistryUnavailableException {
        Event<?> event = event(value, topic, headers);
        ClockSkewLimit.check(event.metadata().timestamp(), written, clock);
        return event;
    }

    private Event<?> event(byte[] value, String topic, Map<String, Object> headers)
            throws RegistryUnavailableException {
        Optional<Channel> channel = contract.channel(topic);
        if (channel.isPresent() && channel.get().avro() != null) {
            SpecificRecord record = avro.decode(value, channel.get().avro());
            return new Event<>(
                    topic,
                    EventMetadata.of(record, headers),
                    record.get(record.getSchema().getField("payload").pos()));
        }
        return json(value, topic, headers);
    }

    private Event<JsonNode> json(byte[] value, String topic, Map<String, Object> headers) {
        JsonNode node = Json.readObject(value);
        contract.channel(topic)
                .ifPresent(
                        known -> SchemaViolationException.check(known.schema().violations(node)));
        boolean enveloped = contract.isEnveloped(topic, node);
        return new Event<>(topic, EventMetadata.of(node, enveloped, headers), enveloped ? node.path("payload") : node);
    }
}
