package sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.FluentProducerTemplate;
import org.apache.camel.Route;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.actuate.autoconfigure.security.servlet.ManagementWebSecurityAutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.flyway.FlywayAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Import;

class RouteReloadIT {

    @EnableAutoConfiguration(
            exclude = {
                DataSourceAutoConfiguration.class,
                FlywayAutoConfiguration.class,
                SecurityAutoConfiguration.class,
                ManagementWebSecurityAutoConfiguration.class
            })
    @ComponentScan("routes.platform.route")
    @Import(RouteReloadConfiguration.class)
    static class App {}

    private static final String POLICY =
            """
            - routeConfiguration:
                id: quiet
                onException:
                  - onException:
                      exception:
                        - java.lang.Exception
                      handled:
                        constant:
                          expression: "true"
                      steps:
                        - setBody:
                            expression:
                              constant:
                                expression: handled
            """;

    @TempDir
    Path routes;

    @TempDir
    Path aside;

    private ConfigurableApplicationContext app;
    private CamelContext camel;
    private RouteReload reload;

    @BeforeEach
    void start() throws Exception {
        save("a.camel.yaml", answers("a-run", "one"));
        save("pair.camel.yaml", answers("b-run", "one") + answers("c-run", "one"));
        save("failing.camel.yaml", fails("f-run"));
        save("shared/errors.camel.yaml", POLICY);
        Files.writeString(
                routes.resolve("openapi.yaml"),
                """
                openapi: 3.0.3
                info: {title: test, version: '1'}
                paths:
                  /ping:
                    get:
                      operationId: ping
                      responses: {'200': {description: ok}}
                """);
        save("shared/rest.camel.yaml", rest("first"));
        save("ping.camel.yaml", answers("ping", "pong"));
        app = SpringApplication.run(
                App.class,
                "--sandbox.routes=" + routes,
                "--server.port=0",
                "--spring.config.name=none",
                "--spring.main.banner-mode=off",
                "--camel.component.kafka.brokers=localhost:1",
                "--camel.main.source-location-enabled=true",
                "--camel.main.routes-include-pattern=file:${sandbox.routes}/**/*.camel.yaml");
        camel = app.getBean(CamelContext.class);
        reload = camel.hasService(RouteReload.class);
    }

    @AfterEach
    void stop() {
        app.close();
    }

    @Test
    void runsTheEditedRoute() throws Exception {
        save("a.camel.yaml", answers("a-run", "two"));
        await().untilAsserted(() -> assertThat(ask("a-run")).isEqualTo("two"));
        assertThat(ask("b-run")).isEqualTo("one");
        assertThat(reload.getLastError()).isNull();
    }

    @Test
    void runsARouteThatAnEditorSavesInPlace() throws Exception {
        Files.writeString(routes.resolve("a.camel.yaml"), answers("a-run", "two"));
        await().untilAsserted(() -> assertThat(ask("a-run")).isEqualTo("two"));
    }

    @Test
    void keepsTheOldRouteUntilBrokenYamlIsCorrected() throws Exception {
        save("a.camel.yaml", "- route:\n    id: \"a-run\n");
        refused("a.camel.yaml:3:1: found unexpected end of stream");
        assertThat(ask("a-run")).isEqualTo("one");
        save("a.camel.yaml", answers("a-run", "two"));
        await().untilAsserted(() -> assertThat(ask("a-run")).isEqualTo("two"));
        assertThat(reload.getLastError()).isNull();
    }

    @Test
    void keepsTheOldRouteWhenAStepIsUnknown() throws Exception {
        save("a.camel.yaml", answers("a-run", "two").replace("- to:", "- too:"));
        refused("a.camel.yaml:10:11: Unknown node id: too");
        assertThat(ask("a-run")).isEqualTo("one");
    }

    @Test
    void keepsTheOldRouteWhenAnEndpointOptionIsUnknown() throws Exception {
        save("a.camel.yaml", answers("a-run", "two").replace("mock:a-run", "kafka:x?groupIdd=y"));
        refused("a.camel.yaml:10: Failed to resolve endpoint: kafka://x?groupIdd=y");
        assertThat(ask("a-run")).isEqualTo("one");
        save("a.camel.yaml", answers("a-run", "two"));
        await().untilAsserted(() -> assertThat(ask("a-run")).isEqualTo("two"));
    }

    @Test
    void keepsTheOldRouteWhenNobodyConsumesItsTarget() throws Exception {
        save("a.camel.yaml", answers("a-run", "two").replace("mock:a-run", "direct:d-run"));
        refused("a.camel.yaml:10: No route consumes from direct:d-run");
        assertThat(ask("a-run")).isEqualTo("one");
        save("a.camel.yaml", answers("a-run", "two").replace("mock:a-run", "direct:d-run") + answers("d-run", "three"));
        await().untilAsserted(() -> assertThat(ask("a-run")).isEqualTo("three"));
        save("a.camel.yaml", answers("a-run", "two").replace("mock:a-run", "direct:d-run"));
        refused("a.camel.yaml:10: No route consumes from direct:d-run");
        assertThat(ask("a-run")).isEqualTo("three");
    }

    @Test
    void keepsTheUneditedRoutesOfAFileRunning() throws Exception {
        Route other = camel.getRoute("c-run");
        save("pair.camel.yaml", answers("b-run", "two") + answers("c-run", "one"));
        await().untilAsserted(() -> assertThat(ask("b-run")).isEqualTo("two"));
        assertThat(camel.getRoute("c-run")).isSameAs(other);
        assertThat(ask("c-run")).isEqualTo("one");
        save("pair.camel.yaml", answers("c-run", "two") + answers("b-run", "two"));
        await().untilAsserted(() -> assertThat(ask("c-run")).isEqualTo("two"));
        assertThat(ask("b-run")).isEqualTo("two");
    }

    @Test
    void answersEveryRequestDuringTheExchange() throws Exception {
        List<String> answers = new ArrayList<>();
        for (int edit = 0; edit < 5; edit++) {
            String answer = "pong" + edit;
            save("ping.camel.yaml", answers("ping", answer));
            await().pollInterval(Duration.ofMillis(5)).until(() -> {
                answers.add(get("/ping"));
                return answers.get(answers.size() - 1).equals(answer);
            });
        }
        assertThat(answers).hasSizeGreaterThan(20).allMatch(answer -> answer.startsWith("pong"));
    }

    @Test
    void keepsTheOldRouteWhenTheNewOneDoesNotStart() throws Exception {
        save("a.camel.yaml", answers("a-run", "two").replace("direct:a-run", "direct:b-run"));
        refused("a.camel.yaml:2:9: Failed to start route: a-run");
        assertThat(ask("a-run")).isEqualTo("one");
        assertThat(ask("b-run")).isEqualTo("one");
    }

    @Test
    void keepsTheOldRouteWhenAnotherFileClaimsItsId() throws Exception {
        save("new.camel.yaml", answers("a-run", "two"));
        refused("new.camel.yaml:4: Route id a-run is taken already, see " + routes.resolve("a.camel.yaml") + ":4");
        assertThat(ask("a-run")).isEqualTo("one");
    }

    @Test
    void stopsARouteThatItsFileNoLongerHas() throws Exception {
        save("pair.camel.yaml", answers("b-run", "two"));
        await().untilAsserted(() -> assertThat(ask("b-run")).isEqualTo("two"));
        assertThat(camel.getRoute("c-run")).isNull();
    }

    @Test
    void appliesAnEditedErrorPolicyToTheRoutesThatUseIt() throws Exception {
        assertThat(ask("f-run")).isEqualTo("handled");
        save("shared/errors.camel.yaml", POLICY.replace("expression: handled", "expression: forgiven"));
        await().untilAsserted(() -> assertThat(ask("f-run")).isEqualTo("forgiven"));
    }

    @Test
    void keepsTheOldErrorPolicyWhenTheNewOneDoesNotLoad() throws Exception {
        save("shared/errors.camel.yaml", POLICY.replace("id: quiet", "id: loud"));
        refused("failing.camel.yaml:5: Route f-run: no routeConfiguration has the id quiet");
        assertThat(ask("f-run")).isEqualTo("handled");
        save("failing.camel.yaml", fails("f-run") + answers("g-run", "one"));
        refused("no routeConfiguration has the id quiet");
        save("shared/errors.camel.yaml", POLICY);
        await().untilAsserted(() -> assertThat(ask("g-run")).isEqualTo("one"));
        assertThat(ask("f-run")).isEqualTo("handled");
    }

    @Test
    void startsANewFileAndStopsADeletedOne() throws Exception {
        save("new.camel.yaml", answers("n-run", "one"));
        await().untilAsserted(() -> assertThat(ask("n-run")).isEqualTo("one"));
        Files.delete(routes.resolve("new.camel.yaml"));
        await().untilAsserted(() -> assertThat(camel.getRoute("n-run")).isNull());
        assertThat(reload.getLastError()).isNull();
    }

    @Test
    void servesTheContractAfterAnEditOfBindingAndRoute() throws Exception {
        assertThat(get("/ping")).isEqualTo("pong");
        int before = camel.getRoutesSize();
        save("shared/rest.camel.yaml", rest("second"));
        await().until(() -> reload.getReloadCounter() > 0);
        assertThat(get("/ping")).isEqualTo("pong");
        save("ping.camel.yaml", answers("ping", "peng"));
        await().untilAsserted(() -> assertThat(get("/ping")).isEqualTo("peng"));
        assertThat(camel.getRoutesSize()).isEqualTo(before);
    }

    @Test
    void keepsServingTheContractWhenTheBindingDoesNotLoad() throws Exception {
        save("shared/rest.camel.yaml", rest("first").replace("openapi.yaml", "missing.yaml"));
        refused("rest.camel.yaml:1: The given OpenApi specification cannot be loaded");
        assertThat(get("/ping")).isEqualTo("pong");
    }

    private void refused(String message) {
        await().untilAsserted(
                        () -> assertThat(reload.getLastError()).isNotNull().hasMessageContaining(message));
    }

    private String ask(String route) {
        try (FluentProducerTemplate template = camel.createFluentProducerTemplate()) {
            return template.to("direct:" + route + "?block=false").withBody("?").request(String.class);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private String get(String path) throws Exception {
        URI uri = URI.create("http://localhost:" + app.getEnvironment().getProperty("local.server.port") + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    /** Saves as most editors do: writes a new file, then renames it. */
    private void save(String file, String text) throws Exception {
        Path written = Files.writeString(aside.resolve("written"), text);
        Files.createDirectories(routes.resolve(file).getParent());
        Files.move(written, routes.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }

    private static String answers(String id, String answer) {
        return """
                - route:
                    id: %1$s
                    from:
                      uri: direct:%1$s
                      steps:
                        - setBody:
                            expression:
                              constant:
                                expression: %2$s
                        - to:
                            uri: mock:%1$s
                """
                .formatted(id, answer);
    }

    private static String fails(String id) {
        return """
                - route:
                    id: %1$s
                    routeConfigurationId: quiet
                    from:
                      uri: direct:%1$s
                      steps:
                        - throwException:
                            exceptionType: java.lang.IllegalStateException
                            message: no
                """
                .formatted(id);
    }

    private String rest(String id) {
        return """
                - rest:
                    id: %s
                    openApi:
                      specification: file:%s/openapi.yaml
                """
                .formatted(id, routes);
    }
}
