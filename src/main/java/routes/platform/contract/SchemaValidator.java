package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonNodePath;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.ValidationMessage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import routes.platform.Violation;

/**
 * Validates a value against a JSON Schema. Reports each violation to the sender: the place and the rule. The library's
 * own messages repeat values and name keywords. The text for a pattern is the {@code description} of its schema.
 */
public final class SchemaValidator {

    static final SchemaValidatorsConfig CONFIG = SchemaValidatorsConfig.builder()
            .pathType(PathType.JSON_POINTER)
            .formatAssertionsEnabled(true)
            .regularExpressionFactory(SchemaValidator::expression)
            .build();

    /** More than any caller shows. */
    private static final int MAX_LISTED = 21;

    private final JsonSchemaFactory factory;
    private final JsonSchema schema;

    SchemaValidator(JsonSchemaFactory factory, JsonSchema schema) {
        this.factory = factory;
        this.schema = schema;
    }

    /** Makes {@code $} match the end only, as in ECMA-262; in Java it also matches before a final line break. */
    private static com.networknt.schema.regex.RegularExpression expression(String regex) {
        boolean toTheEnd = regex.endsWith("$") && !regex.endsWith("\\$");
        Pattern pattern = Pattern.compile(toTheEnd ? regex.substring(0, regex.length() - 1) + "\\z" : regex);
        return text -> pattern.matcher(text).find();
    }

    /** Identifies a violation without computing its text. */
    private record Fault(JsonNodePath at, String type, String property, JsonNode says) {

        private static Fault of(ValidationMessage message) {
            return new Fault(
                    message.getInstanceLocation(), message.getType(), message.getProperty(), message.getSchemaNode());
        }
    }

    /**
     * Returns all violations of a value. A small body can have hundreds of thousands of them, so each after the first
     * ones is {@link Violation#UNLISTED}.
     */
    List<Violation> violations(JsonNode value) {
        Set<Fault> faults = new HashSet<>();
        Set<Violation> listed = new LinkedHashSet<>();
        int unlisted = 0;
        for (ValidationMessage message : schema.validate(value)) {
            if (!faults.add(Fault.of(message))) {
                continue;
            }
            if (listed.size() < MAX_LISTED) {
                listed.add(violation(message));
            } else {
                unlisted++;
            }
        }
        return Stream.concat(listed.stream(), Collections.nCopies(unlisted, Violation.UNLISTED).stream())
                .toList();
    }

    private Violation violation(ValidationMessage message) {
        String at = message.getInstanceLocation().toString();
        return switch (message.getType()) {
            case "required" -> new Violation(at + "/" + message.getProperty(), "is required");
            case "additionalProperties" ->
                Violation.unknownProperty(at, message.getProperty(), properties(schemaOf(message)));
            default -> new Violation(at.isEmpty() ? "/" : at, words(message));
        };
    }

    private String words(ValidationMessage message) {
        JsonNode says = message.getSchemaNode();
        return switch (message.getType()) {
            case "type" -> mustBe(types(says, schemaOf(message)));
            case "enum" ->
                "must be "
                        + (says.size() == 1
                                ? says.path(0).asText()
                                : "one of "
                                        + elements(says).map(JsonNode::asText).collect(Collectors.joining(", ")));
            case "const" -> "must be " + says.asText();
            case "minimum" -> "must be at least " + says.decimalValue().toPlainString();
            case "maximum" -> "must be at most " + says.decimalValue().toPlainString();
            case "minLength" ->
                says.asInt() == 1 ? "must not be empty" : "must have at least " + says.asInt() + " characters";
            case "maxLength" -> "must have at most " + says.asInt() + " characters";
            case "minItems", "minProperties" ->
                says.asInt() == 1 ? "must not be empty" : "must have at least " + says.asInt() + " entries";
            case "maxItems", "maxProperties" -> "must have at most " + says.asInt() + " entries";
            case "pattern" ->
                "must be "
                        + Optional.ofNullable(
                                        schemaOf(message).path("description").textValue())
                                .orElseGet(() -> "as the pattern " + says.asText());
            case "format" -> "must be a " + (says.asText().equals("uuid") ? "UUID" : "valid " + says.asText());
            default -> "must be as its schema says by '" + message.getType() + "'";
        };
    }

    /** The schema with the keyword that failed. */
    private JsonNode schemaOf(ValidationMessage message) {
        SchemaLocation keyword = message.getSchemaLocation();
        if (keyword.getAbsoluteIri() == null
                || keyword.getAbsoluteIri().toString().isEmpty()) {
            return schema.getSchemaNode().at(keyword.getFragment().getParent().toString());
        }
        return factory.getSchema(
                        new SchemaLocation(
                                keyword.getAbsoluteIri(), keyword.getFragment().getParent()),
                        CONFIG)
                .getSchemaNode();
    }

    /** The rule for the type of a value, from type names of JSON or Avro. */
    public static String mustBe(Collection<String> types) {
        return "must be "
                + types.stream().map(SchemaValidator::typeWord).distinct().collect(Collectors.joining(" or "));
    }

    private static String typeWord(String type) {
        return switch (type) {
            case "string" -> "a string";
            case "number", "double" -> "a number";
            case "integer", "int", "long" -> "a whole number";
            case "boolean" -> "true or false";
            case "object", "record", "map" -> "an object";
            case "array" -> "an array";
            default -> type;
        };
    }

    private static List<String> types(JsonNode says, JsonNode schema) {
        List<String> types = new ArrayList<>(
                says.isArray() ? elements(says).map(JsonNode::asText).toList() : List.of(says.asText()));
        if (schema.path("nullable").asBoolean()) {
            types.add("null");
        }
        return types;
    }

    private static List<String> properties(JsonNode schema) {
        List<String> names = new ArrayList<>();
        schema.path("properties").fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static Stream<JsonNode> elements(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false);
    }
}
