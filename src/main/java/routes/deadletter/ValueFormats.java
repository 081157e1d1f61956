package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.specific.SpecificRecord;
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

/** What values say, in the form that their topic has, JSON or Avro; to people all of them are JSON. */
@Component
class ValueFormats {

    /** A value that is larger, as few topics take it, is not decoded: what it says can take a hundred times its size in memory. */
    static final int MAX_DECODED = 2 << 20;

    private final AsyncApi contract;
    private final AvroCodec avro;
    private final Clock clock = Clock.systemUTC();

    ValueFormats(AsyncApi contract, AvroCodec avro) {
        this.contract = contract;
        this.avro = avro;
    }

    static final Decoded TOO_LARGE = unfit(List.of("it is larger than what is decoded: " + MAX_DECODED + " bytes"));

    /**
     * A value as its topic's consumers would read it today.
     *
     * @param json what it says; null when it does not fit
     * @param metadata null when it does not fit
     * @param problems what does not fit and where, never values; empty when it fits
     */
    record Decoded(JsonNode json, EventMetadata metadata, List<String> problems) {}

    /** @param headers of the record, as text */
    Decoded decode(byte[] value, String topic, Map<String, Object> headers) throws RegistryUnavailableException {
        Optional<Channel> channel = contract.channel(topic);
        if (channel.isEmpty()) {
            return unfit(List.of("the topic is not in the contract"));
        }
        if (value == null) {
            return unfit(List.of("there is no value"));
        }
        if (value.length > MAX_DECODED) {
            return TOO_LARGE;
        }
        try {
            AvroSchema schema = channel.get().avro();
            if (schema != null) {
                SpecificRecord record = avro.decode(value, schema);
                return new Decoded(AvroJson.of(record), ofNow(EventMetadata.of(record, headers)), List.of());
            }
            JsonNode node = Json.readObject(value);
            List<String> errors = channel.get().schema().errors(node);
            return errors.isEmpty()
                    ? new Decoded(
                            node, ofNow(EventMetadata.of(node, contract.isEnveloped(topic, node), headers)), List.of())
                    : unfit(errors);
        } catch (ProblemException e) {
            return unfit(List.of(e.getMessage()));
        }
    }

    private EventMetadata ofNow(EventMetadata metadata) {
        ClockSkewLimit.check(metadata.timestamp(), clock);
        return metadata;
    }

    /**
     * The value of a record that says what a person has written.
     *
     * @param json the bytes of the request
     * @return the same bytes, or in Avro
     * @throws ProblemException 400 when it does not fit; says what and where
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
     * What a value says as far as it can be read, else nothing; of a large one only what it says about itself. It may be anything, so nothing here
     * fails.
     */
    JsonNode json(byte[] value, String topic) {
        try {
            return readable(value, topic);
        } catch (RegistryUnavailableException e) {
            return MissingNode.getInstance();
        }
    }

    /**
     * The same of a value that can be read as a whole; else nothing.
     *
     * @throws RegistryUnavailableException when the registry has to say first how to read it: then it is not known that it cannot be read
     */
    JsonNode whole(byte[] value, String topic) throws RegistryUnavailableException {
        return isLarge(value) ? MissingNode.getInstance() : readable(value, topic);
    }

    /** The same of a value of any size; of a large one only which event it is, and its record key. */
    JsonNode identity(byte[] value, String topic) throws RegistryUnavailableException {
        return readable(value, topic);
    }

    /** What it says about itself. */
    Envelope envelope(byte[] value, String topic) {
        return envelope(json(value, topic), topic);
    }

    /**
     * Whose a value is: what it says, else what its header says.
     *
     * @throws UncheckedIOException when that cannot be known before the registry answers: a letter must not become somebody else's
     */
    Optional<String> tenant(byte[] value, String topic, Optional<String> header) {
        try {
            return envelope(readable(value, topic), topic).tenant().or(() -> header);
        } catch (RegistryUnavailableException e) {
            if (header.isPresent()) {
                return header;
            }
            throw new UncheckedIOException(e);
        }
    }

    private Envelope envelope(JsonNode node, String topic) {
        return Envelope.of(node, contract.isEnveloped(topic, node));
    }

    private JsonNode readable(byte[] value, String topic) throws RegistryUnavailableException {
        Optional<Channel> channel = contract.channel(topic);
        AvroSchema schema = channel.map(Channel::avro).orElse(null);
        try {
            if (isLarge(value)) {
                return schema == null
                        ? EnvelopeFields.read(
                                value, channel.map(Channel::keyPointer).orElse(""))
                        : envelope(avro.decode(value, schema));
            }
            return schema == null ? Json.readObject(value) : AvroJson.of(avro.decode(value, schema));
        } catch (ProblemException e) {
            return MissingNode.getInstance();
        }
    }

    private static boolean isLarge(byte[] value) {
        return value != null && value.length > MAX_DECODED;
    }

    private static JsonNode envelope(SpecificRecord record) {
        int metadata = record.getSchema().getField("metadata").pos();
        return JsonNodeFactory.instance.objectNode().set("metadata", AvroJson.of((IndexedRecord) record.get(metadata)));
    }

    static Decoded unfit(List<String> problems) {
        return new Decoded(null, null, problems);
    }
}
