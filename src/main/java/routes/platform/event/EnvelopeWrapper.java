package routes.platform.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultMessage;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.ProblemException;
import routes.platform.error.SchemaViolationException;
import routes.platform.http.HttpRequest;

/** Wraps the payloads of callers: fills the envelope, checks it, and addresses the record. */
@Component("envelopeWrapper")
public class EnvelopeWrapper {

    /**
     * A generous limit for the bytes of a record besides key, value and headers: lengths, timestamps, the batch header.
     */
    private static final int RECORD_OVERHEAD = 1024;

    private final AsyncApi contract;
    private final EventReader events;
    private final Clock clock;

    public EnvelopeWrapper(AsyncApi contract, EventReader events) {
        this.contract = contract;
        this.events = events;
        this.clock = Clock.systemUTC();
    }

    /**
     * Returns the channel of a topic that a caller may publish to.
     *
     * @throws ProblemException 404 when the topic is unknown or not open to publishing over HTTP
     */
    Channel publishable(String topic) {
        return contract.channel(topic)
                .filter(Channel::publishable)
                .orElseThrow(() -> new ProblemException(
                        404,
                        "no such topic, or not open to publishing over HTTP; the open topics are "
                                + contract.channels().stream()
                                        .filter(Channel::publishable)
                                        .map(Channel::topic)
                                        .collect(Collectors.joining(", "))));
    }

    /** Replaces the body, a payload or an envelope as JSON bytes, by the record to send, and keeps the receipt. */
    public void wrap(@Header("topic") String topic, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Channel channel = publishable(topic);
        UUID id = request.idempotencyKey()
                .map(key -> NameBasedUuid.of(
                        request.caller().tenant(), request.caller().principal(), key, channel.topic()))
                .orElseGet(UUID::randomUUID);
        Sent sent = record(exchange.getMessage().getBody(byte[].class), channel, exchange, id);
        exchange.setProperty(PublishReceipt.PROPERTY, sent.receipt());
        exchange.setMessage(sent.message());
    }

    /** Returns the answer to the caller, once the broker has acknowledged the event. */
    public Object returnReceipt(Exchange exchange) {
        return exchange.getProperty(PublishReceipt.PROPERTY);
    }

    record Sent(Message message, PublishReceipt receipt) {}

    Sent record(byte[] json, Channel channel, Exchange exchange, UUID idOfPayload) {
        HttpRequest request = HttpRequest.of(exchange);
        JsonNode sent = Json.readObject(json);
        ObjectNode envelope;
        if (sent.path("metadata").isObject()) {
            envelope = (ObjectNode) sent;
            // before the wrapper fills in fields, which would hide violations
            SchemaViolationException.check(channel.schema().violations(envelope));
        } else {
            envelope = JsonNodeFactory.instance.objectNode();
            envelope.putObject("metadata")
                    .put("eventId", idOfPayload.toString())
                    .put("eventType", channel.message())
                    .put("eventSource", channel.eventSource())
                    .put("timestamp", clock.millis());
            envelope.set("payload", sent);
            try {
                SchemaViolationException.check(channel.schema().violations(envelope));
            } catch (SchemaViolationException e) {
                throw e.below("/payload");
            }
        }
        ObjectNode metadata = (ObjectNode) envelope.path("metadata");
        fill(metadata, "correlationId", request.correlationId());
        fill(metadata, "causationId", request.requestId());
        fill(metadata, "version", "1.0.0");
        metadata.putObject("security")
                .put("principal", request.caller().principal())
                .put("tenant", request.caller().tenant());

        byte[] value = Json.write(envelope);
        byte[] key = envelope.at(channel.keyPointer()).asText().getBytes(StandardCharsets.UTF_8);
        Map<String, Object> headers = Map.of(
                RecordHeaders.CONTENT_TYPE, "application/json",
                RecordHeaders.EVENT_SOURCE, metadata.path("eventSource").asText(),
                RecordHeaders.EVENT_TYPE, metadata.path("eventType").asText(),
                RecordHeaders.CORRELATION_ID, metadata.path("correlationId").asText(),
                RecordHeaders.CAUSATION_ID, metadata.path("causationId").asText(),
                RecordHeaders.TENANT, request.caller().tenant());
        events.requireReadable(value, channel.topic(), headers);
        int size = RECORD_OVERHEAD + key.length + value.length;
        for (Object text : headers.values()) {
            size += text.toString().getBytes(StandardCharsets.UTF_8).length;
        }
        if (size > channel.maxMessageBytes()) {
            throw new ProblemException(
                    413,
                    "an event of " + value.length + " bytes is larger than topic " + channel.topic()
                            + " accepts, at most " + (channel.maxMessageBytes() - size + value.length));
        }
        Message message = new DefaultMessage(exchange.getContext());
        message.setBody(value);
        message.setHeader(KafkaConstants.OVERRIDE_TOPIC, channel.topic());
        message.setHeader(KafkaConstants.KEY, key);
        headers.forEach(message::setHeader);
        return new Sent(
                message,
                new PublishReceipt(
                        metadata.path("eventId").asText(),
                        metadata.path("correlationId").asText(),
                        channel.topic()));
    }

    private static void fill(ObjectNode metadata, String field, String value) {
        if (metadata.path(field).asText("").isEmpty()) {
            metadata.put(field, value);
        }
    }
}
