package routes.platform;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import routes.platform.error.ProblemException;

/** JSON as the contract needs it: strict, numbers kept digit for digit, and errors that say where without repeating what. */
public final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private Json() {}

    /** @throws ProblemException 400 when the bytes are not exactly one JSON object in UTF-8 */
    public static JsonNode readObject(byte[] bytes) {
        JsonNode node = read(bytes);
        if (!node.isObject()) {
            throw new ProblemException(400, "not a JSON object");
        }
        return node;
    }

    /** @throws ProblemException 400 when the bytes are not exactly one JSON value in UTF-8 */
    public static JsonNode read(byte[] bytes) {
        if (bytes == null) {
            throw new ProblemException(400, "empty, expected JSON");
        }
        try {
            JsonNode node = MAPPER.readTree(bytes, 0, bytes.length);
            if (node.isMissingNode()) {
                throw new ProblemException(400, "empty, expected JSON");
            }
            return node;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new ProblemException(
                    400,
                    at == null
                            ? "not valid JSON"
                            : "not valid JSON at line " + at.getLineNr() + ", column " + at.getColumnNr());
        } catch (IOException e) {
            throw new ProblemException(400, "not valid JSON: not UTF-8");
        }
    }

    public static byte[] write(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can always be written", e);
        }
    }
}
