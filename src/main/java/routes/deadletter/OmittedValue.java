package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import routes.platform.error.DeadLetterHeaders;

/**
 * What a dead letter lacks of its record, and where the record is, or was.
 *
 * @param partition null when not known
 * @param offset null when not known
 * @param valueSha256 of the record's value, in hexadecimal; empty when that is null
 * @param value whether the value is needed
 * @param rest whether the key or the headers are
 */
record OmittedValue(Integer partition, Long offset, String valueSha256, boolean value, boolean rest) {

    /**
     * @param headers of a dead letter: name, value, name, value …
     * @param edited whether there is another value to send
     * @return null when it lacks nothing
     */
    static OmittedValue of(byte[][] headers, boolean edited, Integer partition, Long offset) {
        Map<String, String> said = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            String name = new String(headers[i], StandardCharsets.UTF_8);
            if (headers[i + 1] != null && DeadLetterHeaders.original(name).isEmpty()) {
                said.put(name, new String(headers[i + 1], StandardCharsets.UTF_8));
            }
        }
        boolean value = !edited && "true".equals(said.get(DeadLetterHeaders.VALUE_OMITTED));
        boolean rest =
                said.containsKey(DeadLetterHeaders.KEY_SHA256) || said.containsKey(DeadLetterHeaders.HEADERS_OMITTED);
        return value || rest
                ? new OmittedValue(
                        partition, offset, said.getOrDefault(DeadLetterHeaders.VALUE_SHA256, ""), value, rest)
                : null;
    }

    /** What is still needed when there is another value to send; null when nothing. */
    OmittedValue withoutValue() {
        return rest ? new OmittedValue(partition, offset, valueSha256, false, true) : null;
    }
}
