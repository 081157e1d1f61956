package routes.platform.contract;

import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.oas.OpenApi30;
import io.swagger.v3.core.util.Json;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.media.ObjectSchema;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.io.Resource;
import org.springframework.stereotype.Component;

/** Reads the operations of {@code contract/openapi.yaml} and validates requests against them. */
@Component
public class OpenApi {

    private static final String SCHEME = "oauth2";

    /** Extension of the media type of a request: its route validates the body. */
    private static final String BY_ROUTE = "x-checked-by-route";

    private static final JsonSchemaFactory SCHEMAS =
            JsonSchemaFactory.getInstance(VersionFlag.V7, schemas -> schemas.metaSchema(OpenApi30.getInstance())
                    .defaultMetaSchemaIri(OpenApi30.getInstance().getIri()));

    private final OpenAPI model;
    private final Map<String, OperationContract> contracts;

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
        contracts = operations().collect(Collectors.toMap(Operation::getOperationId, OperationContract::new));
    }

    /** Fails the start for an operation without a declared scope, which would be open to every caller. */
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

    /** Requires only an object where the route validates the body against the schema of the topic. */
    private static void leaveToTheRoute(Operation operation) {
        if (operation.getRequestBody() != null) {
            operation.getRequestBody().getContent().values().stream()
                    .filter(type ->
                            type.getExtensions() != null && type.getExtensions().containsKey(BY_ROUTE))
                    .forEach(type -> type.setSchema(new ObjectSchema()));
        }
    }

    /** The scopes of an operation, all of which its caller needs. */
    public static List<String> scopes(Operation operation) {
        return operation.getSecurity().get(0).get(SCHEME);
    }

    /** All scopes, in the order of the file. */
    public Set<String> declaredScopes() {
        return model.getComponents()
                .getSecuritySchemes()
                .get(SCHEME)
                .getFlows()
                .getClientCredentials()
                .getScopes()
                .keySet();
    }

    public OperationContract operation(String operationId) {
        return contracts.get(operationId);
    }

    static SchemaValidator words(Schema<?> schema) {
        return new SchemaValidator(
                SCHEMAS, SCHEMAS.getSchema(Json.mapper().valueToTree(schema), SchemaValidator.CONFIG));
    }

    /** The names of the request headers of all operations. */
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
}
