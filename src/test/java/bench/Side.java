package bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A contender's process. */
final class Side implements AutoCloseable {

    private static final Path LOGS = Path.of("target", "bench");

    private final String name;
    private final Set<String> slowOn;
    private final Path log;
    private final Process process;
    private final Writer input;

    /** @param slowOn names of workloads of which it gets a smaller one, or {@code all} */
    private Side(String name, Set<String> slowOn, Path directory, List<String> command) throws IOException {
        this.name = name;
        this.slowOn = slowOn;
        Files.createDirectories(LOGS);
        log = LOGS.resolve(name.replace(' ', '-') + ".log").toAbsolutePath();
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        input = process.outputWriter(StandardCharsets.UTF_8);
    }

    /** On this JDK and class path, with a heap as in a small container. */
    static Side java(String name, Set<String> slowOn, List<String> jvmOptions, Class<?> main, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseParallelGC",
                "-Dfile.encoding=UTF-8",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(jvmOptions);
        command.add(main.getName());
        command.addAll(arguments);
        return new Side(name, slowOn, Path.of("."), command);
    }

    static Side node(String name, Set<String> slowOn, Path directory, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("node", "bench.js"));
        command.addAll(arguments);
        return new Side(name, slowOn, directory, command);
    }

    String name() {
        return name;
    }

    boolean isSlowOn(String workload) {
        return slowOn.contains("all") || slowOn.contains(workload);
    }

    void tell(String line) {
        try {
            input.write(line + "\n");
            input.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(name + " has ended, see " + log, e);
        }
    }

    /** User and system time of the whole process since its start; what the collector and the compiler take is in it. */
    Duration cpu() {
        return process.info()
                .totalCpuDuration()
                .orElseThrow(() -> new IllegalStateException(name + " has ended, see " + log));
    }

    void checkAlive() {
        if (!process.isAlive()) {
            throw new IllegalStateException(name + " has ended, see " + log);
        }
    }

    Path log() {
        return log;
    }

    @Override
    public void close() {
        try {
            input.close();
            process.waitFor();
        } catch (IOException e) {
            process.destroy();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
