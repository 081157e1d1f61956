package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Applies a JSON merge patch to an object.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7396">RFC 7396</a>
 */
final class JsonMergePatch {

    private JsonMergePatch() {}

    /**
     * Returns a merged copy: fields of the patch replace those of the target, objects merge field by field, and null
     * removes a field.
     */
    static ObjectNode apply(JsonNode target, ObjectNode patch) {
        ObjectNode merged = target.isObject() ? target.deepCopy() : JsonNodeFactory.instance.objectNode();
        patch.properties().forEach(field -> {
            if (field.getValue().isNull()) {
                merged.remove(field.getKey());
            } else if (field.getValue() instanceof ObjectNode object) {
                merged.set(field.getKey(), apply(merged.path(field.getKey()), object));
            } else {
                merged.set(field.getKey(), field.getValue());
            }
        });
        return merged;
    }
}
