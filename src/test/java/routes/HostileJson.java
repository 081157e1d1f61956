package routes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Generates JSON of careless or hostile senders: replaces places of a valid value by extreme numbers, by texts that no
 * index or log line can hold, by other types, or by nothing. The same seed gives the same texts.
 */
public final class HostileJson {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final List<String> NUMBERS = List.of(
            "1e300",
            "-1e300",
            "1e999999999",
            "-1e999999999",
            "1e-999999999",
            "1e2147483648",
            "0",
            "-0",
            "0e999999999",
            "-1",
            "1",
            "1.0",
            "1.5",
            "1e3",
            "9007199254740991",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "1.8e19",
            "1.8446744073709551616e19",
            "1.8446744073709551617e19",
            "253402300799999",
            "253402300800000",
            "2.53402300799999e14",
            "1" + "0".repeat(999),
            "1" + "0".repeat(997) + "e1",
            "0." + "0".repeat(997) + "1",
            "1".repeat(1001));

    private static final List<String> TEXTS = List.of(
            "",
            " ",
            "\\t",
            "\\u0000",
            "a\\nb",
            "a\\n",
            "a\\r\\n",
            "\\u0085",
            "a\\u0085",
            "a\\u2028",
            "\\u007f",
            "\\ufffd",
            "\\u202e",
            "\\ud800",
            "a".repeat(128),
            "a".repeat(256),
            "a".repeat(257),
            "😀".repeat(256),
            "😀".repeat(257),
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-ffff-ffff-ffff-ffffffffffff",
            "6F0F7A6E-3C0B-5C58-9A53-6F9F0E2B7A11",
            "6f0f7a6e-3c0b-5c58-9a53-6f9f0e2b7a11",
            "6f0f7a6e-3c0b-5c58-9a53-6f9f0e2b7a11\\n",
            "{6f0f7a6e-3c0b-5c58-9a53-6f9f0e2b7a11}",
            "5",
            "1e300",
            "null",
            "on-hold",
            "completed",
            "1984-02-29",
            "male",
            "CancelPrescription");

    private static final List<String> OTHERS = Stream.concat(
                    """
                    null
                    true
                    []
                    {}
                    [null]
                    ["a"]
                    [5]
                    {"a":{}}
                    {"tenant":5}
                    {"principal":"p","tenant":" "}
                    {"principal":"p","tenant":{}}
                    {"principal":"p","claims":{"tenant":5}}
                    {"principal":"p","claims":{"scope":["*"]}}
                    {"principal":"p","claims":[]}
                    {"principal":5}
                    {"name":5}
                    {"name":"x","name":"y"}
                    """
                            .lines(),
                    Stream.of(
                            nested("[", "", "]", 900),
                            nested("[", "", "]", 996),
                            nested("[", "", "]", 998),
                            nested("{\"a\":", "1", "}", 997),
                            nested("[", "", "]", 1001)))
            .toList();

    /** Numbers of tokens just below and above the limit. */
    private static final int[] MANY = {150_000, 199_000, 199_950, 199_980, 199_995, 200_001};

    private final Random random;

    public HostileJson(long seed) {
        random = new Random(seed);
    }

    /** @param valid values to start from; picks one */
    public byte[] of(String... valid) {
        JsonNode json = read(valid[random.nextInt(valid.length)]);
        List<String> raw = new ArrayList<>();
        int changes = random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            List<JsonNode> places = containers(json).toList();
            change(places.get(random.nextInt(places.size())), raw);
        }
        String text = json.toString();
        for (int i = 0; i < raw.size(); i++) {
            text = text.replace("\"raw-" + i + "\"", raw.get(i));
        }
        if (random.nextInt(50) == 0) {
            text = text.replaceFirst("\"(\\w+)\":", "\"$1\":7,\"$1\":");
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void change(JsonNode container, List<String> raw) {
        if (container instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            String name = names.isEmpty() || random.nextInt(8) == 0
                    ? "unknown-" + random.nextInt(3)
                    : names.get(random.nextInt(names.size()));
            if (random.nextInt(6) == 0) {
                object.remove(name);
            } else {
                object.put(name, placeholder(raw));
            }
        } else if (container instanceof ArrayNode array) {
            array.add(placeholder(raw));
        }
    }

    private String placeholder(List<String> raw) {
        raw.add(value());
        return "raw-" + (raw.size() - 1);
    }

    private String value() {
        long now = System.currentTimeMillis();
        return switch (random.nextInt(64)) {
            case 0 -> "[1" + ",1".repeat(MANY[random.nextInt(MANY.length)] - 3) + "]";
            case 1 -> String.valueOf(now + 240_000);
            case 2 -> String.valueOf(now + 360_000);
            case 3 -> now + ".0";
            case 4 -> "\"" + new UUID(random.nextLong(), random.nextLong()) + "\"";
            default ->
                switch (random.nextInt(3)) {
                    case 0 -> one(NUMBERS);
                    case 1 -> "\"" + one(TEXTS) + "\"";
                    default -> one(OTHERS);
                };
        };
    }

    private String one(List<String> values) {
        return values.get(random.nextInt(values.size()));
    }

    private static Stream<JsonNode> containers(JsonNode json) {
        Stream.Builder<JsonNode> below = Stream.builder();
        json.forEach(below);
        return json.isContainerNode()
                ? Stream.concat(Stream.of(json), below.build().flatMap(HostileJson::containers))
                : Stream.empty();
    }

    private static JsonNode read(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Headers of a record, as a careless sender writes them. */
    public Map<String, Object> headers() {
        Map<String, Object> headers = new LinkedHashMap<>();
        for (String name : List.of("correlation-id", "causation-id", "tenant")) {
            if (random.nextBoolean()) {
                headers.put(
                        name,
                        read("\"" + one(TEXTS).replace("\\ud800", "\\ufffd") + "\"")
                                .textValue());
            }
        }
        return headers;
    }

    /** The part that a test failure shows. */
    public static String start(byte[] json) {
        String text = new String(json, StandardCharsets.UTF_8);
        return text.substring(0, Math.min(text.length(), 1500));
    }

    private static String nested(String open, String value, String close, int depth) {
        return open.repeat(depth) + value + close.repeat(depth);
    }
}
