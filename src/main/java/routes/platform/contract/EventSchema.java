package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonMetaSchema;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import com.networknt.schema.regex.RegularExpression;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/** A JSON Schema of {@code schemas/}. It says what is wrong and where, in the schema's words, and never repeats the value. */
public final class EventSchema {

    private static final JsonSchemaFactory FACTORY = JsonSchemaFactory.getInstance(
            VersionFlag.V202012,
            factory -> factory.metaSchema(JsonMetaSchema.builder(JsonMetaSchema.getV202012())
                    .vocabularyFactory(ExactBound::vocabulary)
                    .build()));
    private static final SchemaValidatorsConfig CONFIG = SchemaValidatorsConfig.builder()
            .pathType(PathType.JSON_POINTER)
            .formatAssertionsEnabled(true)
            .regularExpressionFactory(EventSchema::expression)
            .build();

    private final JsonSchema schema;

    /** @param file a file name in {@code schemas/}, such as {@code medication.prescription.created.json} */
    public EventSchema(String file) {
        try {
            schema = FACTORY.getSchema(SchemaLocation.of("classpath:schemas/" + file), CONFIG);
            schema.initializeValidators();
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "is no JSON Schema: " + e.getMessage(), e.getCause() == null ? e : e.getCause());
        }
    }

    /** {@code $} is the end, as JSON Schema has it; in Java a line end may follow. */
    private static RegularExpression expression(String regex) {
        boolean toTheEnd = regex.endsWith("$") && !regex.endsWith("\\$");
        Pattern pattern = Pattern.compile(toTheEnd ? regex.substring(0, regex.length() - 1) + "\\z" : regex);
        return text -> pattern.matcher(text).find();
    }

    /** Whether a value must have this field. */
    boolean requires(String field) {
        return StreamSupport.stream(schema.getSchemaNode().path("required").spliterator(), false)
                .anyMatch(name -> name.asText().equals(field));
    }

    /** The first thing that is wrong, by its place and name, such as {@code /payload/medication: required property 'name' not found}. */
    public Optional<String> firstError(JsonNode value) {
        return errors(value).stream().findFirst();
    }

    /** Everything that is wrong, sorted; empty when the value is as the schema says. */
    public List<String> errors(JsonNode value) {
        return schema.validate(value).stream()
                .map(EventSchema::describe)
                .distinct()
                .sorted()
                .toList();
    }

    private static String describe(ValidationMessage message) {
        String at = message.getInstanceLocation().toString();
        String what =
                switch (message.getType()) {
                    case "required" -> "required property '" + message.getProperty() + "' not found";
                    case "type" -> "has the wrong type, expected " + message.getSchemaNode();
                    case "format" -> "is not a valid " + message.getSchemaNode().asText();
                    default -> "violates '" + message.getType() + "'";
                };
        return (at.isEmpty() ? "/" : at) + ": " + what;
    }
}
