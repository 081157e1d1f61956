package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.Header;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.avro.AvroCodec;
import routes.platform.avro.AvroJson;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import routes.platform.contract.Channel;
import routes.platform.error.ProblemException;
import routes.platform.error.SchemaViolationException;
import routes.platform.event.ClockSkewLimit;
import routes.platform.event.EventMetadata;

/** Decodes and encodes record values in the format of their topic, JSON or Avro. Operators see JSON only. */
@Component
class ValueCodec {

    /** A larger value is not decoded: its JSON tree can take a hundred times its size in memory. */
    static final int MAX_DECODED = 2 << 20;

    private final AsyncApi contract;
    private final AvroCodec avro;
    private final Clock clock = Clock.systemUTC();

    ValueCodec(AsyncApi contract, AvroCodec avro) {
        this.contract = contract;
        this.avro = avro;
    }

    static final Decoded TOO_LARGE =
            undecodable(List.of("it is larger than what is decoded: " + MAX_DECODED + " bytes"));

    /**
     * A value as the consumers of its topic would read it today.
     *
     * @param json null when the value has problems
     * @param metadata null when the value has problems
     * @param problems places and expectations, never values; empty when the value is valid
     */
    record Decoded(JsonNode json, EventMetadata metadata, List<String> problems) {}

    /** @param headers of the record, {@link #headersAsText as text} */
    Decoded decode(byte[] value, String topic, Map<String, Object> headers) throws RegistryUnavailableException {
        Optional<Channel> channel = contract.channel(topic);
        if (channel.isEmpty()) {
            return undecodable(List.of("the topic is not in the contract"));
        }
        if (value == null) {
            return undecodable(List.of("there is no value"));
        }
        if (value.length > MAX_DECODED) {
            return TOO_LARGE;
        }
        try {
            AvroSchema schema = channel.get().avro();
            if (schema != null) {
                SpecificRecord record = avro.decode(value, schema);
                return new Decoded(AvroJson.of(record), requireTimely(EventMetadata.of(record, headers)), List.of());
            }
            JsonNode node = Json.readObject(value);
            List<String> errors = channel.get().schema().errors(node);
            return errors.isEmpty()
                    ? new Decoded(
                            node,
                            requireTimely(EventMetadata.of(node, contract.isEnveloped(topic, node), headers)),
                            List.of())
                    : undecodable(errors);
        } catch (ProblemException e) {
            return undecodable(List.of(e.getMessage()));
        }
    }

    private EventMetadata requireTimely(EventMetadata metadata) {
        ClockSkewLimit.check(metadata.timestamp(), clock);
        return metadata;
    }

    /**
     * Encodes the JSON of an operator in the format of the topic.
     *
     * @return the same bytes, or Avro
     * @throws ProblemException 400 when the schema does not allow the value; names the places
     */
    byte[] encode(byte[] json, String topic) throws RegistryUnavailableException {
        Optional<Channel> channel = contract.channel(topic);
        if (channel.isEmpty()) {
            return json;
        }
        JsonNode node = Json.readObject(json);
        if (channel.get().avro() != null) {
            return avro.encode(node, channel.get().avro());
        }
        SchemaViolationException.check(channel.get().schema().violations(node));
        return json;
    }

    /**
     * Reads a whole value; a missing node when it is unreadable or too large.
     *
     * @throws RegistryUnavailableException when nobody knows yet whether the value is readable
     */
    JsonNode readWhole(byte[] value, String topic) throws RegistryUnavailableException {
        return isLarge(value) ? MissingNode.getInstance() : read(value, topic);
    }

    /**
     * Reads a value of any size; of a large one only the identity fields and the record key. A missing node when it is
     * unreadable.
     */
    JsonNode readIdentity(byte[] value, String topic) throws RegistryUnavailableException {
        return read(value, topic);
    }

    /** The event id and tenant of a value; both empty when it is unreadable, or the registry does not answer. */
    EventIdentity identity(byte[] value, String topic) {
        try {
            return identity(read(value, topic), topic);
        } catch (RegistryUnavailableException e) {
            return identity(MissingNode.getInstance(), topic);
        }
    }

    /**
     * The tenant that a value names, else that of its header.
     *
     * @throws UncheckedIOException when only the registry can tell: a guess could give the record to another tenant
     */
    Optional<String> tenant(byte[] value, String topic, Optional<String> header) {
        try {
            return identity(read(value, topic), topic).tenant().or(() -> header);
        } catch (RegistryUnavailableException e) {
            if (header.isPresent()) {
                return header;
            }
            throw new UncheckedIOException(e);
        }
    }

    private EventIdentity identity(JsonNode node, String topic) {
        return EventIdentity.of(node, contract.isEnveloped(topic, node));
    }

    private JsonNode read(byte[] value, String topic) throws RegistryUnavailableException {
        Optional<Channel> channel = contract.channel(topic);
        AvroSchema schema = channel.map(Channel::avro).orElse(null);
        try {
            if (isLarge(value)) {
                return schema == null
                        ? IdentityFieldReader.read(
                                value, channel.map(Channel::keyPointer).orElse(""))
                        : metadataOnly(avro.decode(value, schema));
            }
            return schema == null ? Json.readObject(value) : AvroJson.of(avro.decode(value, schema));
        } catch (ProblemException e) {
            return MissingNode.getInstance();
        }
    }

    private static boolean isLarge(byte[] value) {
        return value != null && value.length > MAX_DECODED;
    }

    private static JsonNode metadataOnly(SpecificRecord record) {
        int metadata = record.getSchema().getField("metadata").pos();
        return JsonNodeFactory.instance.objectNode().set("metadata", AvroJson.of((IndexedRecord) record.get(metadata)));
    }

    static Map<String, Object> headersAsText(List<Header> headers) {
        Map<String, Object> texts = new HashMap<>();
        headers.forEach(header -> texts.put(
                header.key(), header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8)));
        return texts;
    }

    static Decoded undecodable(List<String> problems) {
        return new Decoded(null, null, problems);
    }
}
