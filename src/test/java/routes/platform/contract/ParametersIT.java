package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.web.util.UriUtils;
import routes.RuntimeIT;
import routes.platform.Violation;

/** Sends every kind of text in every parameter: the answer is 400, or a route can read the value. */
class ParametersIT extends RuntimeIT {

    /** Path parameters cannot hold every text. */
    private static final Set<String> NOT_IN_A_PATH = Set.of("", "../../etc", "<script>5ECRE7</script>");

    private static final int LONGEST = 1_000;

    record Of(String path, Operation operation, Parameter parameter) {

        boolean isRefused(String text) {
            List<Violation> wrong = new ArrayList<>();
            ParametersTest.CONTRACT
                    .operation(operation.getOperationId())
                    .read(parameter.getIn(), Map.of(parameter.getName(), text), wrong);
            return !wrong.isEmpty();
        }

        String uri(String text) {
            boolean inPath = parameter.getIn().equals("path");
            String path = this.path.replaceAll(
                    "\\{\\w+}",
                    inPath ? UriUtils.encode(text, StandardCharsets.UTF_8).replace("$", "\\$") : "x");
            return inPath
                    ? path
                    : path + "?" + parameter.getName() + "=" + URLEncoder.encode(text, StandardCharsets.UTF_8);
        }

        @Override
        public String toString() {
            return operation.getOperationId() + " " + parameter.getName();
        }
    }

    static Stream<Of> parametersOfReads() {
        ParseOptions options = new ParseOptions();
        options.setResolve(true);
        options.setResolveFully(true);
        return new OpenAPIV3Parser()
                .read("contract/openapi.yaml", null, options).getPaths().entrySet().stream()
                        .filter(path -> path.getValue().getGet() != null)
                        .flatMap(path -> parameters(path.getKey(), path.getValue()));
    }

    private static Stream<Of> parameters(String path, PathItem item) {
        return item.getGet().getParameters().stream()
                .filter(parameter -> !parameter.getIn().equals("header"))
                .map(parameter -> new Of(path, item.getGet(), parameter));
    }

    @ParameterizedTest
    @MethodSource("parametersOfReads")
    void areReadByTheirSchemas(Of of) {
        ParametersTest.plain(of.parameter())
                .filter(text -> text.length() < LONGEST && !text.contains("\u0000"))
                .filter(text -> !of.parameter().getIn().equals("path") || !NOT_IN_A_PATH.contains(text))
                // a route waits for an unknown command
                .filter(text -> !of.parameter().getName().equals("after") || of.isRefused(text))
                .parallel()
                .forEach(text -> {
                    HttpResponse<String> answer = get(of.uri(text));
                    assertThat(answer.statusCode())
                            .as("%s <%s>: %s", of, text, answer.body())
                            .isIn(of.isRefused(text) ? Set.of(400) : Set.of(200, 400, 403, 404));
                    if (!of.isRefused(text) && answer.statusCode() == 400) {
                        assertThat(json(answer.body()).path("error").asText())
                                .as("of another parameter: <%s>", text)
                                .doesNotContainPattern(
                                        " parameter " + of.parameter().getName() + ": (?!is not for )");
                    }
                });
    }
}
