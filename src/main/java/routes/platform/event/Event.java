package routes.platform.event;

/**
 * An event that has been read and checked.
 *
 * @param topic where it was read
 * @param metadata what it says about itself
 * @param payload what it says, on a flat topic the whole value: a {@link com.fasterxml.jackson.databind.JsonNode} where the topic is JSON, the record that is generated from the
 *     schema where it is Avro
 */
public record Event<P>(String topic, EventMetadata metadata, P payload) {}
