package routes.platform.event;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * An event that has been read and checked.
 *
 * @param topic where it was read
 * @param metadata what it says about itself
 * @param payload what it says
 */
public record Event(String topic, EventMetadata metadata, JsonNode payload) {}
