package routes.platform.avro;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import routes.platform.Violation;
import routes.platform.contract.SchemaValidator;
import routes.platform.error.SchemaViolationException;

/**
 * Converts Avro values to and from plain JSON: without type names of unions, and with times as numbers. It knows the
 * types of the contract: records, text, numbers, booleans, null, lists, maps, and unions whose branches differ in JSON.
 */
public final class AvroJson {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private AvroJson() {}

    /** Returns a record as JSON with every field, null fields included. */
    public static JsonNode of(IndexedRecord record) {
        return node(record);
    }

    private static JsonNode node(Object value) {
        if (value instanceof IndexedRecord record) {
            ObjectNode node = JSON.objectNode();
            record.getSchema().getFields().forEach(field -> node.set(field.name(), node(record.get(field.pos()))));
            return node;
        }
        if (value instanceof List<?> list) {
            ArrayNode node = JSON.arrayNode();
            list.forEach(item -> node.add(node(item)));
            return node;
        }
        if (value instanceof Map<?, ?> map) {
            ObjectNode node = JSON.objectNode();
            map.forEach((key, item) -> node.set(key.toString(), node(item)));
            return node;
        }
        if (value == null) {
            return JSON.nullNode();
        }
        if (value instanceof Boolean truth) {
            return JSON.booleanNode(truth);
        }
        if (value instanceof Instant time) {
            return JSON.numberNode(time.toEpochMilli());
        }
        if (value instanceof Double number) {
            return JSON.numberNode(number);
        }
        if (value instanceof Number number) {
            return JSON.numberNode(number.longValue());
        }
        return JSON.textNode(value.toString());
    }

    /**
     * Reads JSON as a value of a schema. Missing fields get their defaults.
     *
     * @throws SchemaViolationException with the places that do not fit
     */
    static IndexedRecord read(JsonNode json, Schema schema) {
        return (IndexedRecord) read(json, schema, "");
    }

    private static Object read(JsonNode json, Schema schema, String where) {
        Schema type = schema.isUnion()
                ? schema.getTypes().stream()
                        .filter(branch -> fits(json, branch))
                        .findFirst()
                        .orElseThrow(() -> wrongType(schema.getTypes(), where))
                : Optional.of(schema)
                        .filter(one -> fits(json, one))
                        .orElseThrow(() -> wrongType(List.of(schema), where));
        return switch (type.getType()) {
            case NULL -> null;
            case STRING -> json.textValue();
            case BOOLEAN -> json.booleanValue();
            case INT -> json.decimalValue().intValue();
            case LONG -> json.decimalValue().longValue();
            case DOUBLE -> json.doubleValue();
            case ARRAY -> {
                List<Object> items = new ArrayList<>();
                for (int i = 0; i < json.size(); i++) {
                    items.add(read(json.get(i), type.getElementType(), where + "/" + i));
                }
                yield items;
            }
            case MAP -> {
                Map<String, Object> items = new HashMap<>();
                json.properties()
                        .forEach(item ->
                                items.put(item.getKey(), read(item.getValue(), type.getValueType(), where + "/*")));
                yield items;
            }
            case RECORD -> record(json, type, where);
            default -> throw unsupported(type);
        };
    }

    private static GenericData.Record record(JsonNode json, Schema type, String where) {
        json.fieldNames().forEachRemaining(name -> {
            if (type.getField(name) == null) {
                throw new SchemaViolationException(List.of(Violation.unknownProperty(
                        where,
                        name,
                        type.getFields().stream().map(Schema.Field::name).toList())));
            }
        });
        GenericData.Record record = new GenericData.Record(type);
        for (Schema.Field field : type.getFields()) {
            JsonNode value = json.get(field.name());
            if (value == null && !field.hasDefaultValue()) {
                throw new SchemaViolationException(List.of(new Violation(where + "/" + field.name(), "is required")));
            }
            record.put(
                    field.pos(),
                    value == null
                            ? GenericData.get().getDefaultValue(field)
                            : read(value, field.schema(), where + "/" + field.name()));
        }
        return record;
    }

    private static boolean fits(JsonNode json, Schema type) {
        return switch (type.getType()) {
            case NULL -> json.isNull();
            case STRING -> json.isTextual();
            case BOOLEAN -> json.isBoolean();
            case INT -> isWhole(json, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case LONG -> isWhole(json, Long.MIN_VALUE, Long.MAX_VALUE);
            case DOUBLE -> json.isNumber();
            case ARRAY -> json.isArray();
            case MAP, RECORD -> json.isObject();
            default -> throw unsupported(type);
        };
    }

    private static boolean isWhole(JsonNode json, long least, long most) {
        if (!json.isNumber()) {
            return false;
        }
        BigDecimal number = json.decimalValue();
        return number.compareTo(BigDecimal.valueOf(least)) >= 0
                && number.compareTo(BigDecimal.valueOf(most)) <= 0
                && number.remainder(BigDecimal.ONE).signum() == 0;
    }

    private static SchemaViolationException wrongType(List<Schema> expected, String where) {
        return new SchemaViolationException(List.of(new Violation(
                where.isEmpty() ? "/" : where,
                SchemaValidator.mustBe(
                        expected.stream().map(type -> type.getType().getName()).toList()))));
    }

    private static IllegalStateException unsupported(Schema type) {
        return new IllegalStateException(
                "the contract has no type " + type.getType().getName());
    }
}
