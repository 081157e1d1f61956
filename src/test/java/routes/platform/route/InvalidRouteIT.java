package routes.platform.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.flyway.FlywayAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.mock.env.MockEnvironment;

/** Any mistake in a route file fails the start with one sentence that begins with its place. */
@ExtendWith(OutputCaptureExtension.class)
class InvalidRouteIT {

    @EnableAutoConfiguration(exclude = {DataSourceAutoConfiguration.class, FlywayAutoConfiguration.class})
    @ComponentScan
    static class App {}

    @TempDir
    Path routes;

    @Test
    void namesThePlaceOfASyntaxError(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                """
                - route:
                    id: a-run
                    from:
                      uri: "direct:a
                """);
        fails(
                output,
                "a.camel.yaml:5:1: found unexpected end of stream (while scanning a quoted scalar that starts at 4:12)");
    }

    @Test
    void namesThePlaceOfAWrongIndentation(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - log:
                    message: hi
                   loggingLevel: INFO
                """));
        fails(output, "a.camel.yaml:8:12: expected <block end>, but found '<block mapping start>'");
    }

    @Test
    void namesAnEmptyFile(CapturedOutput output) throws Exception {
        given("a.camel.yaml", "");
        fails(output, "a.camel.yaml:1:1: The file is empty");
    }

    @Test
    void namesThePlaceOfAnUnknownStep(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route("a-run", """
                - lgo:
                    message: hi
                """));
        fails(output, "a.camel.yaml:6:11: Unknown node id: lgo");
    }

    @Test
    void namesThePlaceOfAnUnknownKey(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - log:
                    message: hi
                    mesage: hi
                """));
        fails(output, "a.camel.yaml:8:21: Unsupported field: mesage");
    }

    @Test
    void namesThePlaceOfAListWhereTextBelongs(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route("a-run", """
                - log:
                    message: [a, b]
                """));
        fails(output, "a.camel.yaml:7:22: Node type array is invalid, expected key-value");
    }

    @Test
    void namesThePlaceOfAValueOfTheWrongType(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - log:
                    message: hi
                    loggingLevel: LOUD
                """));
        fails(output, "a.camel.yaml:6: Error parsing [LOUD] as a org.apache.camel.LoggingLevel.");
    }

    @Test
    void namesThePlaceOfARouteOptionOfTheWrongType(CapturedOutput output) throws Exception {
        given("a.camel.yaml", route("a-run", "- stop: {}\n").replace("    from:", "    autoStartup: maybe\n    from:"));
        fails(output, "a.camel.yaml:2:9: Route a-run: Error parsing [maybe] as a java.lang.Boolean.");
    }

    @Test
    void namesTheStepWithAnUnknownEndpointOption(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - to:
                    uri: kafka:x
                    parameters:
                      groupIdd: y
                """));
        fails(
                output,
                "a.camel.yaml:6: Failed to resolve endpoint: kafka://x?groupIdd=y due to: There are 1 parameters");
    }

    @Test
    void namesTheSourceWithAnUnknownEndpointOption(CapturedOutput output) throws Exception {
        given("a.camel.yaml", route("a-run", "- stop: {}\n").replace("direct:a-run", "kafka:x?groupIdd=y"));
        fails(output, "a.camel.yaml:4:12: Route a-run: Failed to resolve endpoint: kafka://x?groupIdd=y");
    }

    @Test
    void namesTheStepWithAnUnknownComponent(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route("a-run", """
                - to:
                    uri: kafak:x
                """));
        fails(output, "a.camel.yaml:6: No endpoint could be found for: kafak://x");
    }

    @Test
    void namesTheStepWithAMissingPlaceholder(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - to:
                    uri: "kafka:{{no.such.topic}}"
                """));
        fails(
                output,
                "a.camel.yaml:6: Failed to resolve endpoint: kafka:{{no.such.topic}} due to: Property with key [no.such.topic] not found");
    }

    @Test
    void namesTheInnermostStepWithAMissingBean(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - choice:
                    when:
                      - expression:
                          constant:
                            expression: "true"
                        steps:
                          - log:
                              message: hi
                          - bean:
                              ref: noSuchBean
                              method: decide
                """));
        fails(output, "a.camel.yaml:14: No bean could be found in the registry for: noSuchBean");
    }

    @Test
    void namesTheStepWithoutAConsumer(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - choice:
                    when:
                      - simple: "${body} == null"
                        steps:
                          - to:
                              uri: direct:a-rnu
                """));
        failsToStart(output, "a.camel.yaml:10: No route consumes from direct:a-rnu");
    }

    @Test
    void namesTheWireTapWithoutAConsumer(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route(
                        "a-run",
                        """
                - wireTap:
                    uri: direct:a-rnu
                """));
        failsToStart(output, "a.camel.yaml:6: No route consumes from direct:a-rnu");
    }

    @Test
    void namesTheRouteWhoseErrorPolicyIsMissing(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route("a-run", "- stop: {}\n")
                        .replace("    from:", "    routeConfigurationId: noSuchPolicy\n    from:"));
        fails(output, "a.camel.yaml:5: Route a-run: no routeConfiguration has the id noSuchPolicy");
    }

    @Test
    void namesBothPlacesOfADuplicateRouteId(CapturedOutput output) throws Exception {
        given("a.camel.yaml", route("a-run", "- stop: {}\n"));
        given("sub/b.camel.yaml", route("b-run", "- stop: {}\n").replace("id: b-run", "id: a-run"));
        fails(output, ":2:9: Route id a-run is taken already, see ");
        assertThat(output)
                .contains(routes.resolve("a.camel.yaml") + ":2:9")
                .contains(routes.resolve("sub/b.camel.yaml") + ":2:9");
    }

    @Test
    void namesTheRouteThatRepeatsAStepId(CapturedOutput output) throws Exception {
        given("a.camel.yaml", route("a-run", "- stop: {id: end}\n") + route("b-run", "- stop: {id: end}\n"));
        fails(output, "a.camel.yaml:2:9: Failed to start route: a-run because: Duplicate id detected: end.");
    }

    @Test
    void namesTheRouteThatDoesNotStart(CapturedOutput output) throws Exception {
        given(
                "a.camel.yaml",
                route("a-run", "- stop: {}\n")
                        + route("b-run", "- stop: {}\n").replace("direct:b-run", "direct:a-run"));
        failsToStart(
                output,
                "a.camel.yaml:8:9: Failed to start route: b-run because: Multiple consumers for the same endpoint is not allowed: direct://a-run");
    }

    @Test
    void namesTheBindingOfAMissingContract(CapturedOutput output) throws Exception {
        given(
                "rest.camel.yaml",
                """
                - rest:
                    openApi:
                      specification: classpath:contract/missing.yaml
                """);
        failsToStart(
                output,
                "rest.camel.yaml:1: The given OpenApi specification cannot be loaded from: classpath:contract/missing.yaml");
    }

    @Test
    void namesAFileOnTheClassPath(CapturedOutput output) {
        assertThatThrownBy(() -> run("classpath:invalid/**/*.camel.yaml"));
        assertThat(output).contains("unknown-step.camel.yaml:6:11: Unknown node id: lgo");
    }

    @Test
    void ignoresOtherFailures() {
        var analyzer = new InvalidRouteFailureAnalyzer(new MockEnvironment());
        assertThat(analyzer.analyze(new IllegalStateException("the database is down")))
                .isNull();
    }

    /** For mistakes found before Camel starts: the output has only the place. */
    private void fails(CapturedOutput output, String message) {
        failsToStart(output, message);
        assertThat(output).contains("    " + routes).doesNotContain("\tat ");
    }

    /** For mistakes found while Camel starts: Camel logs its stack trace first, and the place comes last. */
    private void failsToStart(CapturedOutput output, String message) {
        assertThatThrownBy(() -> run("file:" + routes + "/**/*.camel.yaml"));
        assertThat(output).contains("APPLICATION FAILED TO START").contains(message);
    }

    private void run(String pattern) {
        SpringApplication.run(
                        App.class,
                        "--spring.main.web-application-type=none",
                        "--spring.config.name=none",
                        "--spring.main.banner-mode=off",
                        "--camel.component.kafka.brokers=localhost:1",
                        "--camel.main.source-location-enabled=true",
                        "--camel.main.routes-include-pattern=" + pattern)
                .close();
    }

    private void given(String file, String text) throws Exception {
        Files.createDirectories(routes.resolve(file).getParent());
        Files.writeString(routes.resolve(file), text);
    }

    private static String route(String id, String steps) {
        return """
                - route:
                    id: %1$s
                    from:
                      uri: direct:%1$s
                      steps:
                %2$s"""
                .formatted(id, steps.indent(8));
    }
}
