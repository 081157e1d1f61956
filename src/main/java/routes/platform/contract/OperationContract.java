package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import io.swagger.v3.oas.models.Operation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import routes.platform.Violation;

/** What a request for an operation says, read as the contract has it. */
public final class OperationContract {

    private final List<ParameterReader> parameters;
    private final SchemaValidator body;

    OperationContract(Operation operation) {
        parameters = Optional.ofNullable(operation.getParameters()).orElse(List.of()).stream()
                .map(ParameterReader::new)
                .toList();
        body = Optional.ofNullable(operation.getRequestBody())
                .map(request -> request.getContent().get("application/json"))
                .map(json -> OpenApi.words(json.getSchema()))
                .orElse(null);
    }

    /** The names of the parameters in {@code query}, {@code path} or {@code header}. */
    public List<String> names(String in) {
        return parameters.stream()
                .filter(parameter -> parameter.isIn(in))
                .map(ParameterReader::name)
                .toList();
    }

    /**
     * The values of the parameters in {@code query}, {@code path} or {@code header}: a Long of an integer, a Boolean, the epoch milliseconds
     * of an instant as a Long, a String of all others.
     *
     * @param sent the texts by name; those of no parameter are left out
     * @param wrong gets what is wrong
     */
    public Map<String, Object> read(String in, Map<String, String> sent, List<Violation> wrong) {
        Map<String, Object> values = new HashMap<>();
        for (ParameterReader parameter : parameters) {
            if (parameter.isIn(in)) {
                Object value = parameter.read(sent.get(parameter.name()), wrong);
                if (value != null) {
                    values.put(parameter.name(), value);
                }
            }
        }
        return values;
    }

    /** What is wrong with a body in JSON. */
    public List<Violation> check(JsonNode sent) {
        return body.violations(sent);
    }
}
