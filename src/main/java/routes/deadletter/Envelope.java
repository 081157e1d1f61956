package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import routes.platform.PlainText;
import routes.platform.TenantName;

/**
 * What a value says about itself.
 *
 * @param eventId empty when there is none
 * @param tenant empty when there is none
 */
record Envelope(Optional<String> eventId, Optional<String> tenant) {

    /** @param enveloped whether values of the topic are {@code {metadata, payload}} */
    static Envelope of(JsonNode node, boolean enveloped) {
        if (enveloped) {
            JsonNode metadata = node.path("metadata");
            return new Envelope(
                    first(Envelope::plain, metadata, "/eventId"),
                    first(Envelope::tenant, metadata, "/security/tenant", "/security/claims/tenant"));
        }
        return new Envelope(
                node.has("commandType")
                        ? first(Envelope::plain, node, "/commandId")
                        : first(Envelope::plain, node, "/eventId", "/commandId"),
                Optional.empty());
    }

    static Optional<String> plain(String text) {
        return Optional.ofNullable(text).filter(PlainText::isOne);
    }

    /** Whose something is; a name of spaces is nobody's. */
    static Optional<String> tenant(String text) {
        return Optional.ofNullable(text).filter(TenantName::isOne);
    }

    /** What is no text, such as 5, is not the same as the text "5". */
    private static Optional<String> first(Function<String, Optional<String>> form, JsonNode node, String... pointers) {
        return Stream.of(pointers)
                .map(pointer -> form.apply(node.at(pointer).textValue()))
                .flatMap(Optional::stream)
                .findFirst();
    }
}
