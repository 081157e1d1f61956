package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.parameters.Parameter;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import routes.platform.InstantText;
import routes.platform.UuidText;
import routes.platform.Violation;

/**
 * Reads one parameter of an operation. Reading is validation: a text becomes either a value, which all code uses, or an
 * error. A value has one spelling: the reader trims nothing and ignores no sign, zero or capital.
 */
final class ParameterReader {

    private static final Pattern WHOLE_NUMBER = Pattern.compile("0|-?[1-9][0-9]{0,17}");

    private final Parameter parameter;
    private final String place;
    private final SchemaValidator words;
    private final Function<String, Reading> type;

    /** The value of a text, with its JSON for the schema; or the rule that the text breaks. */
    private record Reading(Object value, JsonNode json, String expected) {

        static Reading of(Object value, JsonNode json) {
            return new Reading(value, json, null);
        }

        static Reading of(String text) {
            return of(text, JsonNodeFactory.instance.textNode(text));
        }

        static Reading invalid(String expected) {
            return new Reading(null, null, expected);
        }
    }

    ParameterReader(Parameter parameter) {
        this.parameter = parameter;
        this.place = switch (parameter.getIn()) {
            case "header" -> "header " + parameter.getName();
            default -> parameter.getIn() + " parameter " + parameter.getName();
        };
        this.words = OpenApi.words(parameter.getSchema());
        this.type = type(parameter.getSchema());
    }

    private Function<String, Reading> type(Schema<?> schema) {
        String format = schema.getFormat() == null ? "" : schema.getFormat();
        return switch (schema.getType()) {
            case "integer" -> text -> wholeNumber(text, schema);
            case "boolean" -> ParameterReader::truth;
            case "string" ->
                switch (format) {
                    case "" -> Reading::of;
                    case "id" -> text -> Reading.of(UuidText.normal(text));
                    case "uuid" -> ParameterReader::uuid;
                    case "instant" -> ParameterReader::instant;
                    default -> throw unread("format " + format);
                };
            default -> throw unread("type " + schema.getType());
        };
    }

    private IllegalStateException unread(String what) {
        return new IllegalStateException("contract/openapi.yaml: " + place + " has the " + what
                + ", which the runtime cannot read: it may be an integer, a boolean, or a string, optionally with the format id, uuid"
                + " or instant");
    }

    String name() {
        return parameter.getName();
    }

    boolean isIn(String in) {
        return parameter.getIn().equals(in);
    }

    /**
     * @param text null when absent
     * @param wrong receives the violations
     * @return the value or the default; null without a default, and for an invalid text
     */
    Object read(String text, List<Violation> wrong) {
        if (text == null) {
            if (Boolean.TRUE.equals(parameter.getRequired())) {
                wrong.add(new Violation(place, "is required"));
            }
            Object preset = parameter.getSchema().getDefault();
            return preset instanceof Number number ? (Object) number.longValue() : preset;
        }
        Reading reading = type.apply(text);
        if (reading.expected() != null) {
            wrong.add(new Violation(place, reading.expected()));
            return null;
        }
        List<Violation> violations = words.violations(reading.json());
        violations.forEach(violation -> wrong.add(new Violation(place, violation.message())));
        return violations.isEmpty() ? reading.value() : null;
    }

    private static Reading wholeNumber(String text, Schema<?> schema) {
        if (!WHOLE_NUMBER.matcher(text).matches()) {
            return Reading.invalid("must be a whole number"
                    + (schema.getMinimum() == null ? "" : " from " + schema.getMinimum())
                    + (schema.getMaximum() == null ? "" : " to " + schema.getMaximum()));
        }
        long number = Long.parseLong(text);
        return Reading.of(number, JsonNodeFactory.instance.numberNode(number));
    }

    private static Reading truth(String text) {
        boolean truth = text.equals("true");
        return truth || text.equals("false")
                ? Reading.of(truth, JsonNodeFactory.instance.booleanNode(truth))
                : Reading.invalid("must be true or false");
    }

    private static Reading uuid(String text) {
        return UuidText.isUuid(text) ? Reading.of(UuidText.normal(text)) : Reading.invalid("must be a UUID");
    }

    private static Reading instant(String text) {
        boolean plusWasSent = InstantText.epochMillis(text.replace(' ', '+')).isPresent();
        return InstantText.epochMillis(text)
                .map(millis -> Reading.of(millis, JsonNodeFactory.instance.textNode(text)))
                .orElseGet(() -> Reading.invalid(
                        plusWasSent ? "has a space where a + may be meant: write + as %2B" : InstantText.EXPECTED));
    }
}
