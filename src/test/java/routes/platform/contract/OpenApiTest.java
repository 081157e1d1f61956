package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.io.ByteArrayResource;

class OpenApiTest {

    private static final String CONTRACT =
            """
            openapi: 3.0.3
            info: {title: test, version: '1'}
            paths:
              /ping:
                get:
                  operationId: ping
                  %s
                  responses: {'200': {description: ok}}
            components:
              securitySchemes:
                oauth2:
                  type: oauth2
                  flows: {clientCredentials: {tokenUrl: 'http://localhost', scopes: {pings.read: Ping.}}}
                another: {type: http, scheme: basic}
            """;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "summary: no security",
                "security: []",
                "security: [{}]",
                "security: [{ oauth2: [] }]",
                "security: [{ oauth2: [pings.write] }]",
                "security: [{ another: [] }]",
                "security: [{ oauth2: [pings.read] }, {}]",
                "security: [{ oauth2: [pings.read], another: [] }]"
            })
    void doesNotStartWithAnOperationThatNeedsNoScopeOrAnUnknownOne(String security) {
        assertThatThrownBy(() -> new OpenApi(
                        new ByteArrayResource(CONTRACT.formatted(security).getBytes(StandardCharsets.UTF_8))))
                .hasMessageContaining("operation ping needs a scope");
    }

    @Test
    void failsTheStartWithAParameterThatNothingReads() {
        String operation =
                "security: [{ oauth2: [pings.read] }]\n      parameters: [{name: at, in: query, schema: {type: string, format: date}}]";

        assertThatThrownBy(() -> new OpenApi(
                        new ByteArrayResource(CONTRACT.formatted(operation).getBytes(StandardCharsets.UTF_8))))
                .hasMessageContaining("query parameter at has the format date, which the runtime cannot read");
    }
}
