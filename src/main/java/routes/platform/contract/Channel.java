package routes.platform.contract;

import java.util.List;
import java.util.Map;

/**
 * A topic of the contract.
 *
 * @param topic the Kafka topic
 * @param message the name of the message: the {@code eventType} of an event without an envelope
 * @param eventSource the {@code eventSource} of an event without an envelope; null where every event needs one
 * @param publishable whether {@code POST /api/topics/{topic}/events} may publish to it
 * @param owningGroup the consumer group that dead-letters unreadable records; null without one
 * @param groups every consumer group that receives from it
 * @param keyPointer JSON pointer to the record key within the value; empty where it is not in the value
 * @param writePermission lets callers write in their own name; null where no operation writes
 * @param partitions how many partitions it is created with
 * @param config Kafka topic configuration it is created with
 * @param schema validates JSON values; null for Avro
 * @param avro reads Avro values; null for JSON
 */
public record Channel(
        String topic,
        String message,
        String eventSource,
        boolean publishable,
        String owningGroup,
        List<String> groups,
        String keyPointer,
        WritePermission writePermission,
        int partitions,
        Map<String, String> config,
        EventSchema schema,
        AvroSchema avro) {

    private static final int DEFAULT_MAX_MESSAGE_BYTES = 1048588;

    /** Whether a value is {@code {metadata, payload}}; a flat value has its metadata in fields and record headers. */
    public boolean isEnveloped() {
        return avro != null || schema.requires("metadata");
    }

    /** The largest record batch that the topic accepts, in bytes. */
    public int maxMessageBytes() {
        return Integer.parseInt(config.getOrDefault("max.message.bytes", String.valueOf(DEFAULT_MAX_MESSAGE_BYTES)));
    }
}
