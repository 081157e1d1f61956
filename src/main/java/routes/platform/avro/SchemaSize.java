package routes.platform.avro;

import java.util.IdentityHashMap;
import java.util.Map;
import org.apache.avro.Schema;

/**
 * Counts the parts of one value of a schema: all branches of unions, one item of lists and maps, and no record within
 * itself. Avro expands them for each reader. A record that names another twice at each level doubles them each time,
 * while its text and its values stay short.
 */
final class SchemaSize {

    private final Map<Schema, Long> records = new IdentityHashMap<>();

    private SchemaSize() {}

    static long of(Schema schema) {
        return new SchemaSize().size(schema);
    }

    private long size(Schema schema) {
        return switch (schema.getType()) {
            case ARRAY -> plus(1, size(schema.getElementType()));
            case MAP -> plus(1, size(schema.getValueType()));
            case UNION -> schema.getTypes().stream().mapToLong(this::size).reduce(1, SchemaSize::plus);
            case RECORD -> {
                Long known = records.putIfAbsent(schema, 1L);
                if (known != null) {
                    yield known;
                }
                long size = schema.getFields().stream()
                        .mapToLong(field -> size(field.schema()))
                        .reduce(1, SchemaSize::plus);
                records.put(schema, size);
                yield size;
            }
            default -> 1;
        };
    }

    private static long plus(long a, long b) {
        return Math.min(a + b, Integer.MAX_VALUE);
    }
}
