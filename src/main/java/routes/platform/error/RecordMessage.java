package routes.platform.error;

import java.util.AbstractMap.SimpleEntry;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.support.DefaultMessage;

/**
 * A message with headers as a record has them: upper and lower case are different names, and a name may come more than once. In
 * Camel's own, the last of them would be left. Kafka's producer takes the headers from the entries of the map.
 */
final class RecordMessage extends DefaultMessage {

    RecordMessage(CamelContext camel) {
        super(camel);
    }

    /** Adds to the headers of that name; one without a value becomes empty text. */
    void addHeader(String name, byte[] value) {
        byte[] added = value == null ? new byte[0] : value;
        getHeaders().merge(name, List.of(added), (all, one) -> Stream.concat(
                        ((List<?>) all).stream(), ((List<?>) one).stream())
                .toList());
    }

    @Override
    protected Map<String, Object> createHeaders() {
        return new RecordHeaders();
    }

    private static final class RecordHeaders extends LinkedHashMap<String, Object> {

        @Override
        public Set<Map.Entry<String, Object>> entrySet() {
            Set<Map.Entry<String, Object>> entries = new LinkedHashSet<>();
            super.entrySet().forEach(header -> {
                if (header.getValue() instanceof List<?> values) {
                    values.forEach(value -> entries.add(new SimpleEntry<>(header.getKey(), value)));
                } else {
                    entries.add(header);
                }
            });
            return entries;
        }
    }
}
