package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonMetaSchema;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;
import routes.platform.Violation;

/** Validates values against a JSON Schema of {@code schemas/}. Errors name the place and never repeat the value. */
public final class EventSchema {

    private static final JsonSchemaFactory FACTORY = JsonSchemaFactory.getInstance(
            VersionFlag.V202012,
            factory -> factory.metaSchema(JsonMetaSchema.builder(JsonMetaSchema.getV202012())
                    .vocabularyFactory(ExactBoundKeyword::vocabulary)
                    .build()));

    private final JsonSchema schema;
    private final SchemaValidator words;

    /** @param file a file name in {@code schemas/}, such as {@code medication.prescription.created.json} */
    public EventSchema(String file) {
        try {
            schema = FACTORY.getSchema(SchemaLocation.of("classpath:schemas/" + file), SchemaValidator.CONFIG);
            schema.initializeValidators();
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "is not a JSON Schema: " + e.getMessage(), e.getCause() == null ? e : e.getCause());
        }
        words = new SchemaValidator(FACTORY, schema);
    }

    /** Whether a value must have this field. */
    boolean requires(String field) {
        return StreamSupport.stream(schema.getSchemaNode().path("required").spliterator(), false)
                .anyMatch(name -> name.asText().equals(field));
    }

    /** The first violation. */
    public Optional<String> firstError(JsonNode value) {
        return violations(value).stream().findFirst().map(Violation::toString);
    }

    /** All violations, sorted, followed by those that are only counted; empty for a valid value. */
    public List<String> errors(JsonNode value) {
        return violations(value).stream()
                .sorted(Comparator.comparing((Violation violation) -> violation == Violation.UNLISTED)
                        .thenComparing(Violation::toString))
                .map(Violation::toString)
                .toList();
    }

    /** All violations, such as {@code /payload/medication/name: is required}. */
    public List<Violation> violations(JsonNode value) {
        return words.violations(value);
    }
}
