package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import routes.platform.PlainText;
import routes.platform.TenantName;

/**
 * The event id and the tenant that a record value names.
 *
 * @param eventId empty when the value names none
 * @param tenant empty when the value names none
 */
record EventIdentity(Optional<String> eventId, Optional<String> tenant) {

    /** @param enveloped whether values of the topic are {@code {metadata, payload}} */
    static EventIdentity of(JsonNode node, boolean enveloped) {
        if (enveloped) {
            JsonNode metadata = node.path("metadata");
            return new EventIdentity(
                    first(EventIdentity::idOrEmpty, metadata, "/eventId"),
                    first(EventIdentity::tenantOrEmpty, metadata, "/security/tenant", "/security/claims/tenant"));
        }
        return new EventIdentity(
                node.has("commandType")
                        ? first(EventIdentity::idOrEmpty, node, "/commandId")
                        : first(EventIdentity::idOrEmpty, node, "/eventId", "/commandId"),
                Optional.empty());
    }

    static Optional<String> idOrEmpty(String text) {
        return Optional.ofNullable(text).filter(PlainText::isValid);
    }

    /** Empty for a malformed name, such as spaces. */
    static Optional<String> tenantOrEmpty(String text) {
        return Optional.ofNullable(text).filter(TenantName::isValid);
    }

    /** Takes texts only: the number 5 is not the text "5". */
    private static Optional<String> first(Function<String, Optional<String>> form, JsonNode node, String... pointers) {
        return Stream.of(pointers)
                .map(pointer -> form.apply(node.at(pointer).textValue()))
                .flatMap(Optional::stream)
                .findFirst();
    }
}
