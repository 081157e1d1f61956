package routes.platform.contract;

import java.util.List;
import java.util.Map;

/**
 * A topic of the contract.
 *
 * @param topic the Kafka topic
 * @param message the message's name, which is the {@code eventType} of an event that arrives without an envelope
 * @param eventSource the {@code eventSource} of an event that arrives without an envelope; null where none is accepted
 * @param publishable whether {@code POST /api/topics/{topic}/events} may publish to it
 * @param owningGroup the consumer group that dead-letters what is wrong with a record; null when nobody does
 * @param groups every consumer group that receives from it
 * @param keyPointer JSON pointer to the record key within the value; empty where it is not in the value
 * @param writePermission what callers write in their own name; null where no operation writes
 * @param partitions how many partitions it is created with
 * @param config Kafka topic configuration it is created with
 * @param schema checks the value; null where it is Avro
 * @param avro what the value is read as; null where it is JSON
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

    /** Whether a value is {@code {metadata, payload}}; if not it is flat, and its metadata are among its fields and record headers. */
    public boolean isEnveloped() {
        return avro != null || schema.requires("metadata");
    }

    /** The largest record batch, in bytes, that the topic takes. */
    public int maxMessageBytes() {
        return Integer.parseInt(config.getOrDefault("max.message.bytes", String.valueOf(DEFAULT_MAX_MESSAGE_BYTES)));
    }
}
