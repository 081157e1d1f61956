package routes.platform.contract;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.SimpleRequest;
import com.atlassian.oai.validator.report.ValidationReport;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.media.ObjectSchema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
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

    private static final String SCHEME = "oauth2";

    /** Extension of a media type of a request. */
    private static final String BY_ROUTE = "x-checked-by-route";

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
        Set<String> declared = declaredScopes();
        operations().forEach(operation -> check(operation, declared));
        operations().forEach(OpenApi::leaveToTheRoute);
        validator = OpenApiInteractionValidator.createFor(model).build();
    }

    /** A path that is open to everybody by mistake must not be possible. */
    private static void check(Operation operation, Set<String> declared) {
        List<SecurityRequirement> security = operation.getSecurity();
        boolean known = security != null
                && security.size() == 1
                && security.get(0).keySet().equals(Set.of(SCHEME))
                && !scopes(operation).isEmpty()
                && declared.containsAll(scopes(operation));
        if (!known) {
            throw new IllegalStateException("contract/openapi.yaml: operation " + operation.getOperationId()
                    + " needs a scope, as in 'security: [{ " + SCHEME + ": [events.write] }]', that components."
                    + "securitySchemes." + SCHEME + " declares");
        }
    }

    /** A body that its route checks by the schema of the topic, in the words of that, only has to be an object here. */
    private static void leaveToTheRoute(Operation operation) {
        if (operation.getRequestBody() != null) {
            operation.getRequestBody().getContent().values().stream()
                    .filter(type ->
                            type.getExtensions() != null && type.getExtensions().containsKey(BY_ROUTE))
                    .forEach(type -> type.setSchema(new ObjectSchema()));
        }
    }

    /** The scopes that a caller of an operation needs, all of them. */
    public static List<String> scopes(Operation operation) {
        return operation.getSecurity().get(0).get(SCHEME);
    }

    /** Every scope that there is, in the order of the file. */
    public Set<String> declaredScopes() {
        return model.getComponents()
                .getSecuritySchemes()
                .get(SCHEME)
                .getFlows()
                .getClientCredentials()
                .getScopes()
                .keySet();
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
