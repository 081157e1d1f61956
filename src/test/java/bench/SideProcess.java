package bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs a side in a process of its own. */
final class SideProcess implements AutoCloseable {

    private static final Path LOGS = Path.of("target", "bench");

    private static final long CLOSE_S = 30;
    private static final Pattern TOTAL = Pattern.compile("Total +\\d+ +(?<bytes>\\d+) *");

    private final SideSpec spec;
    private final Path log;
    private final Process process;
    private final Writer input;

    private SideProcess(SideSpec spec, Path directory, List<String> command) throws IOException {
        this.spec = spec;
        Files.createDirectories(LOGS);
        log = LOGS.resolve(spec.name().replace(' ', '-') + ".log").toAbsolutePath();
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        input = process.outputWriter(StandardCharsets.UTF_8);
    }

    /**
     * Starts a side on this JDK and class path, with a heap as in a small container.
     *
     * @param libraries of this side alone, behind the class path
     */
    static SideProcess java(
            SideSpec spec, List<Path> libraries, List<String> jvmOptions, Class<?> main, List<String> arguments)
            throws IOException {
        String classPath = Stream.concat(
                        Stream.of(System.getProperty("java.class.path")),
                        libraries.stream().map(Path::toString))
                .collect(Collectors.joining(File.pathSeparator));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseParallelGC",
                "-Dfile.encoding=UTF-8",
                "-cp",
                classPath));
        command.addAll(jvmOptions);
        command.add(main.getName());
        command.addAll(arguments);
        return new SideProcess(spec, Path.of("."), command);
    }

    static SideProcess node(SideSpec spec, Path directory, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("node", "bench.js"));
        command.addAll(arguments);
        return new SideProcess(spec, directory, command);
    }

    SideSpec spec() {
        return spec;
    }

    String name() {
        return spec.name();
    }

    void tell(String line) {
        try {
            input.write(line + "\n");
            input.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(name() + " has ended, see " + log, e);
        }
    }

    /** Returns user and system time of the whole process since its start, with collector and compiler. */
    Duration cpu() {
        return process.info()
                .totalCpuDuration()
                .orElseThrow(() -> new IllegalStateException(name() + " has ended, see " + log));
    }

    /** Collects all garbage, and returns the megabytes of the objects that are left. */
    long liveHeapMegabytes() throws IOException {
        Process histogram = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(process.pid()),
                        "GC.class_histogram")
                .start();
        try (BufferedReader lines = histogram.inputReader()) {
            return lines.lines()
                            .map(TOTAL::matcher)
                            .filter(Matcher::matches)
                            .mapToLong(total -> Long.parseLong(total.group("bytes")))
                            .findFirst()
                            .orElseThrow(() -> new IllegalStateException(name() + " shows no heap, see " + log))
                    >> 20;
        }
    }

    /** Waits until the side listens. The time of a whole runtime depends on the load of the machine. */
    void awaitReady() throws IOException, InterruptedException {
        while (Files.readString(log).lines().noneMatch(Side.READY::equals)) {
            checkAlive();
            Thread.sleep(50);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    void checkAlive() {
        if (!process.isAlive()) {
            throw new IllegalStateException(name() + " has ended, see " + log);
        }
    }

    Path log() {
        return log;
    }

    /** Closes its input and waits some seconds before it ends the process. */
    @Override
    public void close() {
        try {
            input.close();
            process.waitFor(CLOSE_S, TimeUnit.SECONDS);
        } catch (IOException e) {
            // the process has ended already
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
    }
}
