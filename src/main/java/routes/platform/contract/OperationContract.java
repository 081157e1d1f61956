package routes.platform.contract;

import com.fasterxml.jackson.databind.JsonNode;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.responses.ApiResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import routes.platform.Violation;

/** Reads and validates the parameters and the body of requests for one operation. */
public final class OperationContract {

    private final List<ParameterReader> parameters;
    private final SchemaValidator body;

    /** By status, in ascending order: the media type, or null of an answer without a body. */
    private final SortedMap<Integer, String> successes = new TreeMap<>();

    OperationContract(Operation operation) {
        parameters = Optional.ofNullable(operation.getParameters()).orElse(List.of()).stream()
                .map(ParameterReader::new)
                .toList();
        body = Optional.ofNullable(operation.getRequestBody())
                .map(request -> request.getContent().get("application/json"))
                .map(json -> OpenApi.words(json.getSchema()))
                .orElse(null);
        operation.getResponses().forEach((status, response) -> {
            if (status.startsWith("2")) {
                successes.put(Integer.valueOf(status), mediaType(response));
            }
        });
    }

    private static String mediaType(ApiResponse response) {
        return Optional.ofNullable(response.getContent())
                .map(content -> content.keySet().iterator().next())
                .orElse(null);
    }

    /** The status of success; the lowest one where the operation has several. */
    public int successStatus() {
        return successes.firstKey();
    }

    /** The media type of an answer with a status of success, or null when it has no body. */
    public String mediaType(int status) {
        return successes.get(status);
    }

    /** The names of the parameters in {@code query}, {@code path} or {@code header}. */
    public List<String> names(String in) {
        return parameters.stream()
                .filter(parameter -> parameter.isIn(in))
                .map(ParameterReader::name)
                .toList();
    }

    /**
     * Returns the values of the parameters in {@code query}, {@code path} or {@code header}: an integer as Long, a
     * boolean as Boolean, an instant as Long in epoch milliseconds, all others as String.
     *
     * @param sent the texts by name; ignores names without a parameter
     * @param wrong receives the violations
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

    /** Returns the violations of a JSON body. */
    public List<Violation> check(JsonNode sent) {
        return body.violations(sent);
    }
}
