package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import routes.platform.error.DeadLetterHeaders;

/**
 * Names the parts that a dead letter lacks, and the original record that has them.
 *
 * @param partition of the original record; null when unknown
 * @param offset of the original record; null when unknown
 * @param valueSha256 of the original value, in hexadecimal; empty when that value is null
 * @param value whether the value is missing
 * @param keyOrHeaders whether the key or headers are missing
 */
record OmittedParts(Integer partition, Long offset, String valueSha256, boolean value, boolean keyOrHeaders) {

    /**
     * @param headers of a dead letter: name, value, name, value …
     * @param edited whether an edit replaces the value
     * @return null when the dead letter is whole
     */
    static OmittedParts of(byte[][] headers, boolean edited, Integer partition, Long offset) {
        Map<String, String> texts = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            String name = new String(headers[i], StandardCharsets.UTF_8);
            if (headers[i + 1] != null && DeadLetterHeaders.original(name).isEmpty()) {
                texts.put(name, new String(headers[i + 1], StandardCharsets.UTF_8));
            }
        }
        boolean value = !edited && "true".equals(texts.get(DeadLetterHeaders.VALUE_OMITTED));
        boolean keyOrHeaders =
                texts.containsKey(DeadLetterHeaders.KEY_SHA256) || texts.containsKey(DeadLetterHeaders.HEADERS_OMITTED);
        return value || keyOrHeaders
                ? new OmittedParts(
                        partition, offset, texts.getOrDefault(DeadLetterHeaders.VALUE_SHA256, ""), value, keyOrHeaders)
                : null;
    }

    /** The rest after an edit has replaced the value; null when nothing is missing then. */
    OmittedParts exceptValue() {
        return keyOrHeaders ? new OmittedParts(partition, offset, valueSha256, false, true) : null;
    }
}
