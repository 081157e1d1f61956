package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.io.Resource;
import org.springframework.stereotype.Component;

/**
 * Reads the part of {@code contract/asyncapi.yaml} that the runtime acts on.
 *
 * @see <a href="https://www.asyncapi.com/docs/reference/specification/v3.0.0">AsyncAPI 3.0.0</a>
 */
@Component
public class AsyncApi {

    private static final String DEAD_LETTER_SUFFIX = ".dlq";
    private static final String DEAD_LETTERS = "{topic}" + DEAD_LETTER_SUFFIX;

    /** Room in a dead letter, beyond its record, for the headers that describe the failure. */
    private static final int DEAD_LETTER_ROOM = 64 * 1024;

    private final JsonNode root;
    private final Map<String, Channel> channels;
    private final Set<String> recordHeaders;

    public AsyncApi(@Value("classpath:contract/asyncapi.yaml") Resource file) {
        try (InputStream in = file.getInputStream()) {
            root = new ObjectMapper(new YAMLFactory()).readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read contract/asyncapi.yaml", e);
        }
        channels = stream(root.path("channels"))
                .filter(channel -> !channel.path("address").asText().contains("{"))
                .map(this::channel)
                .collect(Collectors.toMap(Channel::topic, c -> c, (a, b) -> a, LinkedHashMap::new));
        recordHeaders = stream(root.path("components").path("messages"))
                .flatMap(message -> {
                    List<String> names = new ArrayList<>();
                    resolve(message.path("headers"))
                            .path("properties")
                            .fieldNames()
                            .forEachRemaining(names::add);
                    return names.stream();
                })
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The channels with a fixed address, in the order of the file. */
    public Collection<Channel> channels() {
        return channels.values();
    }

    /** The channel of a topic; empty for a topic outside the contract. */
    public Optional<Channel> channel(String topic) {
        return Optional.ofNullable(channels.get(topic));
    }

    /**
     * The channel of JSON values that a pattern requires.
     *
     * @param pattern named in the error; its beans need the channel even when it is switched off
     * @throws IllegalStateException names the topic, the pattern and the remedy, when the contract lacks the channel
     */
    public Channel required(String topic, String pattern) {
        Channel channel = channel(topic)
                .orElseThrow(() -> new IllegalStateException(
                        "contract/asyncapi.yaml: no channel has the address %s, which the pattern %s needs even when it is switched off: add the channel"
                                .formatted(topic, pattern)));
        if (channel.schema() == null) {
            throw new IllegalStateException(
                    "contract/asyncapi.yaml: channel %s has Avro values, and the pattern %s needs JSON: give its message a JSON Schema"
                            .formatted(topic, pattern));
        }
        return channel;
    }

    /**
     * Whether a value is {@code {metadata, payload}}: as its channel says; for an unknown topic, judged by its fields.
     */
    public boolean isEnveloped(String topic, JsonNode value) {
        return channel(topic).map(Channel::isEnveloped).orElseGet(() -> value.path("metadata")
                .isObject());
    }

    /** The dead-letter channel of a channel. */
    public Channel deadLetters(Channel of) {
        JsonNode template = stream(root.path("channels"))
                .filter(channel -> DEAD_LETTERS.equals(channel.path("address").asText()))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException("contract/asyncapi.yaml: no channel with address " + DEAD_LETTERS));
        Map<String, String> config = config(template);
        config.put("max.message.bytes", String.valueOf(of.maxMessageBytes() + DEAD_LETTER_ROOM));
        return new Channel(
                deadLetterTopic(of.topic()),
                "dead-letter",
                null,
                false,
                null,
                groups(template),
                "",
                null,
                partitions(template),
                config,
                null,
                null);
    }

    public static String deadLetterTopic(String topic) {
        return topic + DEAD_LETTER_SUFFIX;
    }

    /** The topic that a dead-letter topic belongs to. */
    public static String originalTopic(String deadLetterTopic) {
        return isDeadLetterTopic(deadLetterTopic)
                ? deadLetterTopic.substring(0, deadLetterTopic.length() - DEAD_LETTER_SUFFIX.length())
                : deadLetterTopic;
    }

    /** Whether records of the topic are dead letters; these have no dead letters themselves. */
    public static boolean isDeadLetterTopic(String topic) {
        return topic.endsWith(DEAD_LETTER_SUFFIX);
    }

    /** Every record header that a message of the contract declares. */
    public Set<String> recordHeaders() {
        return recordHeaders;
    }

    private Channel channel(JsonNode channel) {
        String topic = channel.path("address").asText();
        JsonNode message = resolve(stream(channel.path("messages"))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException("contract/asyncapi.yaml: channel " + topic + " has no message")));
        String key = channel.path("x-key").asText("");
        String file = schemaFile(message);
        boolean avro = file.endsWith(AvroSchema.SUFFIX);
        boolean publishable = channel.path("x-publishable").asBoolean();
        if (avro && publishable) {
            throw new IllegalStateException(
                    "contract/asyncapi.yaml: channel " + topic + " is x-publishable, which only JSON can be");
        }
        return new Channel(
                topic,
                message.path("name").asText(),
                channel.path("x-event-source").asText(null),
                publishable,
                channel.path("x-owning-group").asText(null),
                groups(channel),
                key.substring(key.indexOf('#') + 1),
                writePermission(channel.path("x-callers-write")),
                partitions(channel),
                config(channel),
                avro ? null : schema(message, file, EventSchema::new),
                avro ? schema(message, file, AvroSchema::of) : null);
    }

    private static WritePermission writePermission(JsonNode write) {
        return write.isMissingNode()
                ? null
                : new WritePermission(
                        write.path("scope").asText(),
                        stream(write.path("types")).map(JsonNode::asText).collect(Collectors.toUnmodifiableSet()));
    }

    private static String schemaFile(JsonNode message) {
        String ref = message.at("/payload/schema/$ref").asText();
        if (ref.isEmpty()) {
            throw new IllegalStateException("contract/asyncapi.yaml: message "
                    + message.path("name").asText() + " has no payload.schema.$ref to a file of schemas/");
        }
        return ref.substring(ref.lastIndexOf('/') + 1);
    }

    private interface SchemaFile<T> {
        T read(String file) throws IOException;
    }

    private static <T> T schema(JsonNode message, String file, SchemaFile<T> format) {
        try {
            return format.read(file);
        } catch (IOException | RuntimeException e) {
            boolean missing = e instanceof FileNotFoundException || e.getCause() instanceof FileNotFoundException;
            throw new IllegalStateException(
                    "contract/asyncapi.yaml: message " + message.path("name").asText() + ": schemas/" + file + " "
                            + (missing ? "does not exist" : e.getMessage()),
                    e);
        }
    }

    private List<String> groups(JsonNode channel) {
        return stream(root.path("operations"))
                .filter(operation -> operation.path("action").asText().equals("receive"))
                .filter(operation -> resolve(operation.path("channel")) == channel)
                .map(operation -> operation.at("/bindings/kafka/groupId/enum/0").asText())
                .toList();
    }

    private static int partitions(JsonNode channel) {
        return channel.at("/bindings/kafka/partitions").asInt(1);
    }

    private static Map<String, String> config(JsonNode channel) {
        Map<String, String> config = new LinkedHashMap<>();
        channel.at("/bindings/kafka/topicConfiguration")
                .properties()
                .forEach(e -> config.put(
                        e.getKey(),
                        e.getValue().isArray()
                                ? stream(e.getValue()).map(JsonNode::asText).collect(Collectors.joining(","))
                                : e.getValue().asText()));
        return config;
    }

    private JsonNode resolve(JsonNode node) {
        String ref = node.path("$ref").asText("");
        if (!ref.startsWith("#")) {
            return node;
        }
        JsonNode target = root.at(ref.substring(1));
        if (target.isMissingNode()) {
            throw new IllegalStateException("contract/asyncapi.yaml: $ref '" + ref + "' leads nowhere");
        }
        return resolve(target);
    }

    private static java.util.stream.Stream<JsonNode> stream(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false);
    }
}
