package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs small copies of the platform's Node services as processes. Their sources are in {@code src/test/node}; they are
 * installed once, under {@code target}.
 */
public final class NodeClients {

    private static final Path SOURCES = Path.of("src", "test", "node");
    private static final Path INSTALLED = Path.of("target", "node");
    private static final int OLDEST_NODE = 18;
    private static final Duration TOOL_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration INSTALL_TIMEOUT = Duration.ofMinutes(2);
    private static final Duration SCRIPT_TIMEOUT = Duration.ofSeconds(75);

    private static boolean installed;

    private NodeClients() {}

    /**
     * Holds the output of a script.
     *
     * @param lines standard output, one JSON value each
     * @param log standard error
     */
    public record Run(List<JsonNode> lines, String log) {}

    /**
     * Installs the scripts and the locked versions of their libraries, once per JVM. Without Node, the tests that need
     * it are skipped.
     */
    public static synchronized void install() {
        if (installed) {
            return;
        }
        assumeTrue(
                nodeVersion() >= OLDEST_NODE && exists("npm"),
                "skipped: the tests with Node clients need Node.js %d or later and npm on the PATH; install them from nodejs.org"
                        .formatted(OLDEST_NODE));
        try (FileChannel oneAtATime = lockFile()) {
            oneAtATime.lock();
            Path lock = Path.of("package-lock.json");
            boolean upToDate = Files.exists(INSTALLED.resolve("node_modules").resolve(".package-lock.json"))
                    && Files.exists(INSTALLED.resolve(lock))
                    && Files.mismatch(SOURCES.resolve(lock), INSTALLED.resolve(lock)) == -1;
            try (DirectoryStream<Path> files = Files.newDirectoryStream(SOURCES, Files::isRegularFile)) {
                for (Path file : files) {
                    Path installed = INSTALLED.resolve(file.getFileName());
                    // another JVM may be running the script
                    if (!Files.exists(installed) || Files.mismatch(file, installed) != -1) {
                        Files.copy(file, installed, StandardCopyOption.REPLACE_EXISTING);
                    }
                }
            }
            if (!upToDate) {
                succeed(INSTALL_TIMEOUT, List.of("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"));
            }
            installed = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs a script to its end.
     *
     * @throws AssertionError with its output, when it fails or exceeds the time limit
     */
    public static Run run(String script, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("node", script));
        command.addAll(arguments);
        Output output = succeed(SCRIPT_TIMEOUT, command);
        ObjectMapper mapper = new ObjectMapper();
        try {
            List<JsonNode> lines = new ArrayList<>();
            for (String line : output.out().lines().toList()) {
                lines.add(mapper.readTree(line));
            }
            return new Run(lines, output.err());
        } catch (IOException e) {
            throw new AssertionError(output.toString(), e);
        }
    }

    /** Locks the installation, because another JVM of the tests may install at the same time. */
    private static FileChannel lockFile() throws IOException {
        Files.createDirectories(INSTALLED);
        return FileChannel.open(INSTALLED.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static boolean exists(String tool) {
        try {
            return execute(TOOL_TIMEOUT, Path.of("."), List.of(tool, "--version"))
                            .code()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns the major version of Node on the path; 0 without Node. */
    private static int nodeVersion() {
        try {
            Output version = execute(TOOL_TIMEOUT, Path.of("."), List.of("node", "--version"));
            return Integer.parseInt(version.out().strip().replaceFirst("^v(\\d+)\\..*$", "$1"));
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }

    private static Output succeed(Duration timeout, List<String> command) {
        try {
            Output output = execute(timeout, INSTALLED, command);
            assertThat(output.code()).as(output.toString()).isZero();
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @throws IOException when the program does not exist */
    private static Output execute(Duration timeout, Path directory, List<String> command) throws IOException {
        Path out = Files.createTempFile("node", ".out");
        Path err = Files.createTempFile("node", ".err");
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            process.getOutputStream().close();
            try {
                boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
                return new Output(
                        String.join(" ", command),
                        ended ? process.exitValue() : -1,
                        Files.readString(out),
                        Files.readString(err) + (ended ? "" : "ended by force after " + timeout.toSeconds() + " s"));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            } finally {
                Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                        .toList()
                        .forEach(ProcessHandle::destroyForcibly);
            }
        } finally {
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }

    private record Output(String command, int code, String out, String err) {

        @Override
        public String toString() {
            return "%s ended with %d%n%s%n%s".formatted(command, code, out.strip(), err.strip());
        }
    }
}
