package routes.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import routes.RunningImage;
import sandbox.Servers;

/** Runs the runtime as a process, on the class path of the tests. */
final class Instance implements AutoCloseable {

    /** Environment variable for the runtime's own routes instead of those of the tests. */
    static final String OWN_ROUTES =
            "CAMEL_MAIN_ROUTESINCLUDEPATTERN=classpath:camel/*.camel.yaml,classpath:camel/shared/*.camel.yaml";

    private static final Path DIRECTORY = Path.of("target", "faults");
    private static final AtomicInteger STARTED = new AtomicInteger();

    private final Process process;
    final RunningImage runtime;

    Instance(Servers servers, String... environment) {
        Path directory = DIRECTORY.resolve("run-" + STARTED.incrementAndGet());
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        FaultEffects.class.getName())
                .redirectOutput(directory.resolve("stdout").toFile())
                .redirectError(directory.resolve("stderr").toFile());
        builder.environment()
                .put(
                        "CLASSPATH",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        builder.environment().putAll(RunningImage.environment(servers));
        builder.environment()
                .putAll(Map.of(
                        "CAMEL_MAIN_ROUTESINCLUDEPATTERN",
                        "classpath:camel/shared/errors.camel.yaml,file:src/test/resources/faults/faults.camel.yaml",
                        "CAMEL_COMPONENT_KAFKA_SESSIONTIMEOUTMS",
                        "6000"));
        for (String variable : environment) {
            builder.environment().put(variable.split("=")[0], variable.split("=")[1]);
        }
        try {
            Files.createDirectories(directory);
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        runtime = new RunningImage(process, directory, builder.environment());
    }

    long pid() {
        return process.pid();
    }

    void ready() {
        runtime.awaitReady();
    }

    /** Tells whether this instance is the outbox relay. */
    boolean isRelay() {
        return runtime.management("/observe/metrics")
                .body()
                .matches("(?s).*event_broker_outbox_active\\{[^}]*} 1\\.0.*");
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        runtime.close();
    }
}
