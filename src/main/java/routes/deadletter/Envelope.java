package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a value says about itself.
 *
 * @param eventId empty when there is none
 * @param tenant empty when there is none
 */
record Envelope(Optional<String> eventId, Optional<String> tenant) {

    /** Nothing that a log line, an index or PostgreSQL could not hold. */
    private static final Pattern PLAIN = Pattern.compile("[^\\p{Cntrl}\\x{80}-\\x{9f}]{1,256}");

    /** @param enveloped whether values of the topic are {@code {metadata, payload}} */
    static Envelope of(JsonNode node, boolean enveloped) {
        if (enveloped) {
            JsonNode metadata = node.path("metadata");
            return new Envelope(
                    first(metadata, "/eventId"), first(metadata, "/security/tenant", "/security/claims/tenant"));
        }
        return new Envelope(
                node.has("commandType") ? first(node, "/commandId") : first(node, "/eventId", "/commandId"),
                Optional.empty());
    }

    static Optional<String> plain(String text) {
        return Optional.ofNullable(text).filter(t -> PLAIN.matcher(t).matches());
    }

    private static Optional<String> first(JsonNode node, String... pointers) {
        return Stream.of(pointers)
                .map(pointer -> plain(node.at(pointer).asText(null)))
                .flatMap(Optional::stream)
                .findFirst();
    }
}
