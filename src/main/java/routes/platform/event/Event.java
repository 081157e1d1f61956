package routes.platform.event;

/**
 * An event that the reader has checked.
 *
 * @param topic of its record
 * @param payload of the envelope, or the whole value of a flat topic: a
 *     {@link com.fasterxml.jackson.databind.JsonNode}, or on an Avro topic the generated class
 */
public record Event<P>(String topic, EventMetadata metadata, P payload) {}
