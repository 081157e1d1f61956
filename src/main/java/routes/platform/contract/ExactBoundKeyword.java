package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.AbstractKeyword;
import com.networknt.schema.BaseJsonValidator;
import com.networknt.schema.ExecutionContext;
import com.networknt.schema.JsonNodePath;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonValidator;
import com.networknt.schema.Keyword;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.ValidationContext;
import com.networknt.schema.ValidationMessage;
import com.networknt.schema.ValidatorTypeCode;
import com.networknt.schema.Vocabulary;
import java.math.BigDecimal;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/** Checks the bounds of numbers of any size. The library compares integers in 64 bits, where 1e300 is 0. */
final class ExactBoundKeyword extends AbstractKeyword {

    private static final List<Keyword> ALL = List.of(
            new ExactBoundKeyword(ValidatorTypeCode.MINIMUM, side -> side >= 0),
            new ExactBoundKeyword(ValidatorTypeCode.MAXIMUM, side -> side <= 0),
            new ExactBoundKeyword(ValidatorTypeCode.EXCLUSIVE_MINIMUM, side -> side > 0),
            new ExactBoundKeyword(ValidatorTypeCode.EXCLUSIVE_MAXIMUM, side -> side < 0));

    private static final Vocabulary VALIDATION = new Vocabulary(
            Vocabulary.V202012_VALIDATION.getIri(),
            Stream.concat(
                            Vocabulary.V202012_VALIDATION.getKeywords().stream().filter(own -> ALL.stream()
                                    .noneMatch(exact -> exact.getValue().equals(own.getValue()))),
                            ALL.stream())
                    .toArray(Keyword[]::new));

    private final ValidatorTypeCode type;
    private final IntPredicate allowed;

    /** @param allowed the side of the bound where a number may be, as a result of {@code compareTo} */
    private ExactBoundKeyword(ValidatorTypeCode type, IntPredicate allowed) {
        super(type.getValue());
        this.type = type;
        this.allowed = allowed;
    }

    /** The keywords of a vocabulary with these bounds; null for a vocabulary without bounds. */
    static Vocabulary vocabulary(String iri) {
        return iri.equals(VALIDATION.getIri()) ? VALIDATION : null;
    }

    @Override
    public JsonValidator newValidator(
            SchemaLocation schema, JsonNodePath path, JsonNode bound, JsonSchema parent, ValidationContext context) {
        BigDecimal limit = bound.decimalValue();
        return new BaseJsonValidator(schema, path, bound, parent, type, context) {
            @Override
            public Set<ValidationMessage> validate(
                    ExecutionContext execution, JsonNode value, JsonNode root, JsonNodePath at) {
                return !value.isNumber() || allowed.test(value.decimalValue().compareTo(limit))
                        ? Set.of()
                        : Set.of(message()
                                .instanceNode(value)
                                .instanceLocation(at)
                                .locale(execution.getExecutionConfig().getLocale())
                                .failFast(execution.isFailFast())
                                .arguments(bound.asText())
                                .build());
            }
        };
    }
}
