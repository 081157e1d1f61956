package routes.platform.contract;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.SimpleRequest;
import com.atlassian.oai.validator.report.ValidationReport;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.io.Resource;
import org.springframework.stereotype.Component;

/** {@code contract/openapi.yaml}: which operations there are, and what is wrong with a request. */
@Component
public class OpenApi {

    private final OpenAPI model;
    private final OpenApiInteractionValidator validator;

    public OpenApi(@Value("classpath:contract/openapi.yaml") Resource file) throws IOException {
        ParseOptions options = new ParseOptions();
        options.setResolve(true);
        options.setResolveFully(true);
        SwaggerParseResult result =
                new OpenAPIV3Parser().readContents(file.getContentAsString(StandardCharsets.UTF_8), null, options);
        if (!result.getMessages().isEmpty()) {
            throw new IllegalStateException("contract/openapi.yaml: " + String.join("; ", result.getMessages()));
        }
        model = result.getOpenAPI();
        validator = OpenApiInteractionValidator.createFor(model).build();
    }

    /** The first thing that is wrong with a request, such as {@code query parameter limit: violates 'maximum'}; never repeats a value. */
    public Optional<String> firstError(SimpleRequest request) {
        return validator.validateRequest(request).getMessages().stream()
                .filter(message -> message.getLevel() == ValidationReport.Level.ERROR)
                .findFirst()
                .map(OpenApi::describe);
    }

    /** The names of the request headers of every operation. */
    public Set<String> headers() {
        Set<String> names = new TreeSet<>();
        operations()
                .map(Operation::getParameters)
                .filter(parameters -> parameters != null)
                .flatMap(Collection::stream)
                .filter(parameter -> "header".equals(parameter.getIn()))
                .map(Parameter::getName)
                .forEach(names::add);
        return names;
    }

    public Stream<Operation> operations() {
        return model.getPaths().values().stream().map(PathItem::readOperations).flatMap(Collection::stream);
    }

    /** The validator's own words repeat the value in places, so the sentence is built from the key and the place. */
    private static String describe(ValidationReport.Message message) {
        String key = message.getKey();
        String keyword = key.substring(key.lastIndexOf('.') + 1);
        ValidationReport.MessageContext context =
                message.getContext().orElseGet(ValidationReport.MessageContext::empty);
        String where = context.getParameter()
                .map(parameter -> parameter.getIn() + " parameter " + parameter.getName())
                .orElseGet(() -> "body "
                        + context.getPointers()
                                .map(ValidationReport.MessageContext.Pointers::getInstance)
                                .filter(pointer -> !pointer.isEmpty())
                                .orElse("/"));
        return where
                + switch (keyword) {
                    case "missing" -> ": is required";
                    case "type" -> ": has the wrong type";
                    case "required" -> ": a required property is missing";
                    case "invalidJson" -> ": not valid JSON";
                    default -> ": violates '" + keyword + "'";
                };
    }
}
