package sandbox;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import routes.EventBroker;

/**
 * The local run: starts the servers, then the runtime with live reload of its routes, publishes the samples at the first start, and
 * says where everything is: {@code ./mvnw spring-boot:test-run}.
 */
public final class Sandbox {

    private Sandbox() {}

    public static void main(String[] args) {
        long start = System.nanoTime();
        Servers servers = Servers.sandbox();
        try {
            servers.start();
        } catch (SandboxException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        SpringApplication.getShutdownHandlers().add(servers::close);
        System.out.printf("%-16s starting%n", "runtime");
        long runtimeStart = System.nanoTime();
        ConfigurableApplicationContext context = new SpringApplication(
                        EventBroker.class, RouteReloadConfiguration.class)
                .run(arguments(servers.properties(), args));
        System.out.printf("%-16s ready (started in %.1f s)%n", "runtime", secondsSince(runtimeStart));

        String port = context.getEnvironment().getProperty("local.server.port");
        try {
            Samples.publish("http://localhost:" + port);
        } catch (IOException | InterruptedException e) {
            System.out.println("The samples could not be published: " + e.getMessage());
        }
        System.out.printf(
                """

                Everything is ready after %.1f s.

                %s
                runtime          http://localhost:%s (Swagger UI: /docs)
                management       http://localhost:%s/observe/health/ready

                Try:  curl -s 'http://localhost:%s/api/pharmacy-orders?limit=2'
                Edit: src/main/resources/camel/pubsub.camel.yaml (reloads when saved)
                Stop: Ctrl-C
                %n""",
                secondsSince(start),
                servers.summary(),
                port,
                context.getEnvironment().getProperty("management.server.port"),
                port);
    }

    private static double secondsSince(long nanoTime) {
        return (System.nanoTime() - nanoTime) / 1e9;
    }

    private static String[] arguments(Map<String, String> servers, String[] args) {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.address=127.0.0.1",
                "--management.server.address=127.0.0.1",
                "--camel.main.routes-include-pattern=file:src/main/resources/camel/**/*.camel.yaml",
                "--logging.structured.format.console=",
                // what routes and our own classes say, without the libraries' start messages
                "--logging.level.root=info",
                "--logging.level.org=warn",
                "--logging.level.com=warn",
                "--logging.level.io=warn"));
        servers.forEach((name, value) -> arguments.add("--" + name + "=" + value));
        return Stream.concat(arguments.stream(), Stream.of(args)).toArray(String[]::new);
    }
}
