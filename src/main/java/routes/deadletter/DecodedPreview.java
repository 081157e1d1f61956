package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.stereotype.Component;
import routes.deadletter.HeaderPreview.NamedHeader;
import routes.platform.Json;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.error.DeadLetterHeaders;

/** Decodes the value that reprocessing would send, and lists why consumers cannot read it. */
@Component
class DecodedPreview {

    private static final int MAX_JSON = 64 * 1024;
    private static final int MAX_PROBLEMS = 20;

    /** In characters. */
    private static final int MAX_PROBLEM = 256;

    private final ValueCodec values;

    DecodedPreview(ValueCodec values) {
        this.values = values;
    }

    /**
     * @param json null when the value has problems, or is large
     * @param problems places and expectations; empty when the value is valid
     */
    record Preview(String json, List<String> problems) {}

    /** @param edited whether the value is an edit */
    Preview of(String topic, byte[] value, boolean edited, List<NamedHeader> headers) {
        ValueCodec.Decoded decoded = decode(topic, value, edited, headers);
        byte[] json = decoded.json() == null ? null : Json.write(decoded.json());
        boolean large = json != null && json.length > MAX_JSON;
        List<String> problems = shorten(decoded.problems());
        if (large) {
            problems.add("it fits, and is larger than what is shown decoded: " + MAX_JSON + " bytes");
        }
        addForeignTopic(problems, topic, headers);
        return new Preview(json == null || large ? null : new String(json, StandardCharsets.UTF_8), problems);
    }

    /** Works without the registry too, because the rest of the answer needs none. */
    private ValueCodec.Decoded decode(String topic, byte[] value, boolean edited, List<NamedHeader> headers) {
        Map<String, Object> texts = new HashMap<>();
        boolean omitted = false;
        for (NamedHeader header : headers) {
            String text =
                    header.value() == null ? null : new String(header.value().base64(), StandardCharsets.UTF_8);
            DeadLetterHeaders.original(header.name()).ifPresent(name -> texts.put(name, text));
            if (header.name().equals(DeadLetterHeaders.VALUE_OMITTED)) {
                omitted = "true".equals(text) && !edited;
            }
        }
        if (omitted) {
            return ValueCodec.undecodable(List.of("the dead letter is without its value"));
        }
        try {
            return values.decode(value, topic, texts);
        } catch (RegistryUnavailableException e) {
            return ValueCodec.undecodable(List.of(e.getMessage()));
        }
    }

    private static List<String> shorten(List<String> found) {
        List<String> problems = new ArrayList<>(found.stream()
                .limit(MAX_PROBLEMS)
                .map(problem -> DeadLetter.cut(problem, MAX_PROBLEM))
                .toList());
        int more = found.size() - problems.size();
        if (more > 0) {
            problems.add("and " + more + " more");
        }
        return problems;
    }

    private static void addForeignTopic(List<String> problems, String topic, List<NamedHeader> headers) {
        headers.stream()
                .filter(header -> header.name().equals(DeadLetterHeaders.ORIGINAL_TOPIC))
                .filter(header ->
                        header.value() != null && !topic.equals(header.value().text()))
                .findFirst()
                .ifPresent(header -> problems.add("header " + DeadLetterHeaders.ORIGINAL_TOPIC
                        + " is not trusted: the dead letter is from the dead-letter topic of " + topic));
    }
}
