package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import routes.platform.Json;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.ProblemException;
import routes.platform.event.EventMetadata;

/**
 * A value as its topic's consumers would read it today.
 *
 * @param value null when it does not fit
 * @param metadata null when it does not fit
 * @param problems what does not fit and where, never values; empty when it fits
 */
record DecodedValue(JsonNode value, EventMetadata metadata, List<String> problems) {

    /** @param headers of the record, as text */
    static DecodedValue of(byte[] bytes, String topic, Map<String, Object> headers, AsyncApi contract) {
        Optional<Channel> channel = contract.channel(topic);
        if (channel.isEmpty()) {
            return unfit(List.of("the topic is not in the contract"));
        }
        if (bytes == null) {
            return unfit(List.of("there is no value"));
        }
        try {
            JsonNode node = Json.readObject(bytes);
            List<String> errors = channel.get().schema().errors(node);
            if (!errors.isEmpty()) {
                return unfit(errors);
            }
            return new DecodedValue(node, EventMetadata.of(node, headers), List.of());
        } catch (ProblemException e) {
            return unfit(List.of(e.getMessage()));
        }
    }

    private static DecodedValue unfit(List<String> problems) {
        return new DecodedValue(null, null, problems);
    }
}
