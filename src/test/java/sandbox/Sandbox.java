package sandbox;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import routes.EventBroker;

/**
 * Starts the servers, then the runtime with live reload, publishes the samples at the first start, and prints the
 * addresses: {@code ./mvnw spring-boot:test-run}.
 */
public final class Sandbox {

    private static final Map<String, String> OWN = Map.of(
            "server.address", "127.0.0.1",
            "management.server.address", "127.0.0.1",
            "camel.main.routes-include-pattern", "file:src/main/resources/camel/**/*.camel.yaml",
            "logging.structured.format.console", "",
            // logs of routes and of our own classes, without the start messages of libraries
            "logging.level.root", "info",
            "logging.level.org", "warn",
            "logging.level.com", "warn",
            "logging.level.io", "warn");

    private Sandbox() {}

    public static void main(String[] args) {
        long start = System.nanoTime();
        Map<String, Object> properties = new HashMap<>(OWN);
        Servers servers = null;
        try {
            int http = Servers.configuredPort("http", 8080);
            int management = Servers.configuredPort("management", 9876);
            servers = Servers.sandbox(Map.of("http", http, "management", management));
            servers.start();
            properties.put("server.port", http);
            properties.put("management.server.port", management);
            properties.putAll(servers.properties());
        } catch (SandboxException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        Servers running = servers;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("Stopping ..."), "say stopping"));
        SpringApplication.getShutdownHandlers().add(() -> {
            running.close();
            System.out.println("Stopped");
        });
        CompletableFuture<ServerProcess> fhirServer = CompletableFuture.supplyAsync(
                running::fhirServer, work -> new Thread(work, "start FHIR server").start());
        System.out.printf("%-16s starting%n", "runtime");
        long runtimeStart = System.nanoTime();
        ConfigurableApplicationContext context = application(properties).run(args);
        System.out.printf("%-16s ready (started in %.1f s)%n", "runtime", secondsSince(runtimeStart));

        String port = context.getEnvironment().getProperty("local.server.port");
        loadSamples("http://localhost:" + port, new Tokens(running.tokenIssuer().address()), fhirServer);
        System.out.printf(
                """

                Everything is ready after %.1f s.

                %s
                runtime          http://localhost:%s (Swagger UI: /docs)
                management       http://localhost:%s/observe/health/ready

                Token: AUTH=$(%sbin/token)
                Try:   curl -s -H "$AUTH" 'http://localhost:%s/api/pharmacy-orders?limit=2'
                Edit:  src/main/resources/camel/pubsub.camel.yaml (reloads when saved)
                Stop:  Ctrl-C
                %n""",
                secondsSince(start),
                running.summary(),
                port,
                context.getEnvironment().getProperty("management.server.port"),
                tokenUrl(running.tokenIssuer().address()),
                port);
    }

    /** The FHIR server takes longest to start, and the runtime starts without it. */
    private static void loadSamples(String runtime, Tokens tokens, CompletableFuture<ServerProcess> fhirServer) {
        try {
            Samples.publish(runtime, tokens);
            fhirServer.join();
            new FhirSamples(runtime + "/fhir", tokens.sandbox(), System.out).load();
        } catch (CompletionException e) {
            System.err.println(e.getCause().getMessage());
            System.exit(1);
        } catch (IOException | InterruptedException e) {
            System.out.println("The samples could not be loaded: " + e.getMessage());
        }
    }

    /** An assignment before {@code bin/token}, where the issuer is not on the port that it expects. */
    private static String tokenUrl(String issuer) {
        return issuer.endsWith(":9000") ? "" : "TOKEN_URL=" + issuer + "/oauth2/token ";
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    /**
     * Makes the runtime with these properties. They override {@code application.yaml}; the command line and the
     * environment override them.
     */
    private static SpringApplication application(Map<String, Object> properties) {
        return new SpringApplication(EventBroker.class, RouteReloadConfiguration.class) {
            @Override
            protected void configurePropertySources(ConfigurableEnvironment environment, String[] args) {
                environment.getPropertySources().addLast(new MapPropertySource("sandbox", properties));
                super.configurePropertySources(environment, args);
            }
        };
    }
}
