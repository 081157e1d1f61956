package routes.platform;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import routes.platform.error.MalformedJsonException;
import routes.platform.error.SchemaViolationException;

/**
 * Reads and writes JSON strictly: one value in UTF-8, numbers digit for digit. Errors name the place and never repeat
 * the value.
 */
public final class Json {

    /** Bounds the memory: a token of two bytes may take a hundred, so 25 MB of {@code {},} would take 650 MB. */
    public static final long MAX_TOKENS = 200_000;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    // writes an emoji as four bytes, as other clients do, and not as an escape of twelve
                    .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxTokenCount(MAX_TOKENS)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private static final String BEYOND_LIMITS =
            "JSON exceeds the limits: %d levels, %d digits, %d characters in a name, %d in a text, %d tokens"
                    .formatted(
                            StreamReadConstraints.DEFAULT_MAX_DEPTH,
                            StreamReadConstraints.DEFAULT_MAX_NUM_LEN,
                            StreamReadConstraints.DEFAULT_MAX_NAME_LEN,
                            StreamReadConstraints.DEFAULT_MAX_STRING_LEN,
                            MAX_TOKENS);

    private Json() {}

    /**
     * @throws MalformedJsonException when the bytes are not exactly one JSON value in UTF-8
     * @throws SchemaViolationException when that value is not an object
     */
    public static JsonNode readObject(byte[] bytes) {
        JsonNode node = read(bytes);
        if (!node.isObject()) {
            throw new SchemaViolationException("not a JSON object");
        }
        return node;
    }

    /** @throws MalformedJsonException when the bytes are not exactly one JSON value in UTF-8 */
    public static JsonNode read(byte[] bytes) {
        if (bytes == null) {
            throw new MalformedJsonException("empty, expected JSON");
        }
        boolean surrogates = requireUtf8(bytes);
        JsonNode node;
        try {
            node = MAPPER.readTree(bytes, 0, bytes.length);
        } catch (StreamConstraintsException e) {
            throw new MalformedJsonException(BEYOND_LIMITS);
        } catch (JsonProcessingException e) {
            if (!isUtf8(bytes)) {
                throw notUtf8();
            }
            JsonLocation at = e.getLocation();
            throw new MalformedJsonException(
                    at == null
                            ? "not valid JSON"
                            : "not valid JSON at line " + at.getLineNr() + ", column " + at.getColumnNr());
        } catch (ArithmeticException | NumberFormatException e) {
            throw new MalformedJsonException("not valid JSON: a number is out of range");
        } catch (IOException e) {
            throw notUtf8();
        }
        if (node.isMissingNode()) {
            throw new MalformedJsonException("empty, expected JSON");
        }
        if (surrogates) {
            rejectLoneSurrogates(node);
        }
        return node;
    }

    /** @throws MalformedJsonException when it is nested too deeply for readers */
    public static byte[] write(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (StreamConstraintsException e) {
            throw new MalformedJsonException("nested too deeply");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can always be written", e);
        }
    }

    /** Counts tokens as a parser does: names, values, and both ends of objects and arrays. */
    public static long tokens(JsonNode node) {
        long tokens = node.isContainerNode() ? 2 : 1;
        if (node.isObject()) {
            tokens += node.size();
        }
        for (JsonNode child : node) {
            tokens += tokens(child);
        }
        return tokens;
    }

    /**
     * Rejects bytes that Jackson would accept: UTF-16, overlong UTF-8 (two spellings of one id) and surrogates in
     * UTF-8. Jackson itself rejects missing and excess bytes.
     *
     * @return whether an escape holds a surrogate, which may lack its other half
     */
    private static boolean requireUtf8(byte[] bytes) {
        boolean surrogates = false;
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            if (b == 0 || b < 0 && i + 1 < bytes.length && cannotStart(b & 0xFF, bytes[i + 1] & 0xFF)) {
                throw notUtf8();
            }
            surrogates |= b == '\\' && i + 2 < bytes.length && bytes[i + 1] == 'u' && (bytes[i + 2] | ' ') == 'd';
        }
        return surrogates;
    }

    /** Whether no character starts with these two bytes: table 3-7 of the Unicode Standard. */
    private static boolean cannotStart(int first, int second) {
        return switch (first) {
            case 0xC0, 0xC1 -> true;
            case 0xE0 -> second < 0xA0;
            case 0xED -> second > 0x9F;
            case 0xF0 -> second < 0x90;
            case 0xF4 -> second > 0x8F;
            default -> first > 0xF4;
        };
    }

    private static boolean isUtf8(byte[] bytes) {
        try {
            StrictUtf8.decode(bytes);
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static void rejectLoneSurrogates(JsonNode node) {
        if (node.isTextual() && !StandardCharsets.UTF_8.newEncoder().canEncode(node.textValue())) {
            throw new MalformedJsonException("not valid JSON: half of a surrogate pair");
        }
        node.fieldNames().forEachRemaining(name -> {
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
                throw new MalformedJsonException("not valid JSON: half of a surrogate pair");
            }
        });
        node.forEach(Json::rejectLoneSurrogates);
    }

    private static MalformedJsonException notUtf8() {
        return new MalformedJsonException("not valid JSON: not UTF-8");
    }
}
