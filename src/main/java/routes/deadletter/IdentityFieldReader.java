package routes.deadletter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Reads the fields of {@link EventIdentity} and the record key from JSON of any size, without building its tree. */
final class IdentityFieldReader {

    private static final JsonFactory JSON = new JsonFactory();

    /** The wanted fields of an object; a text has none. */
    private record Fields(Map<String, Fields> wanted) {

        private Fields with(JsonPointer text) {
            if (text.matches()) {
                return TEXT;
            }
            Map<String, Fields> more = new HashMap<>(wanted);
            more.put(
                    text.getMatchingProperty(),
                    wanted.getOrDefault(text.getMatchingProperty(), TEXT).with(text.tail()));
            return new Fields(more);
        }
    }

    private static final Fields TEXT = new Fields(Map.of());

    private static final Fields WANTED = new Fields(Map.of(
            "eventId",
            TEXT,
            "commandId",
            TEXT,
            "commandType",
            TEXT,
            "metadata",
            new Fields(Map.of(
                    "eventId",
                    TEXT,
                    "security",
                    new Fields(Map.of("tenant", TEXT, "claims", new Fields(Map.of("tenant", TEXT))))))));

    private IdentityFieldReader() {}

    /**
     * @param pointer to the record key; empty for none
     * @return an object with the wanted fields; a missing node when the bytes are not one JSON object, or repeat a
     *     wanted field
     */
    static JsonNode read(byte[] json, String pointer) {
        Fields wanted = pointer.isEmpty() ? WANTED : WANTED.with(JsonPointer.compile(pointer));
        try (JsonParser parser = JSON.createParser(json)) {
            ObjectNode found = JsonNodeFactory.instance.objectNode();
            boolean whole = parser.nextToken() == JsonToken.START_OBJECT
                    && read(parser, wanted, found)
                    && parser.nextToken() == null;
            return whole ? found : MissingNode.getInstance();
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }

    private static boolean read(JsonParser parser, Fields fields, ObjectNode into) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            Fields wanted = fields.wanted().get(name);
            JsonToken value = parser.nextToken();
            if (wanted == null) {
                parser.skipChildren();
            } else if (into.has(name)) {
                return false;
            } else if (wanted == TEXT && value == JsonToken.VALUE_STRING) {
                into.put(name, parser.getText());
            } else if (wanted != TEXT && value == JsonToken.START_OBJECT) {
                if (!read(parser, wanted, into.putObject(name))) {
                    return false;
                }
            } else {
                parser.skipChildren();
            }
        }
        return true;
    }
}
