package sandbox;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs and signals processes of this run and of an earlier one. Child processes share the fate of their parent;
 * PostgreSQL has many.
 */
final class Processes {

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(6);
    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(3);
    private static final long POLL_MS = 20;

    /** The only variables that a server inherits, so that no other variable configures it by accident. */
    private static final List<String> INHERITED_VARIABLES =
            List.of("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH");

    private Processes() {}

    /** Prepares the command in that directory, with errors in its output. */
    static ProcessBuilder builder(Launch launch, Path directory) {
        ProcessBuilder builder = new ProcessBuilder(launch.command())
                .directory(directory.toFile())
                .redirectErrorStream(true);
        builder.environment().keySet().retainAll(INHERITED_VARIABLES);
        builder.environment().putAll(launch.environment());
        return builder;
    }

    /**
     * Runs a tool to its end.
     *
     * @param input its standard input
     * @throws SandboxException with the output, when the tool fails
     */
    static void run(Launch launch, Path directory, String input) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "tool", ".log");
        Process process =
                builder(launch, directory).redirectOutput(output.toFile()).start();
        try (Writer writer = process.outputWriter()) {
            writer.write(input);
        }
        if (process.waitFor() != 0) {
            throw new SandboxException("%s failed with exit code %d:%n%s"
                    .formatted(
                            launch.command(),
                            process.exitValue(),
                            Files.readString(output).strip()));
        }
        Files.delete(output);
    }

    /** Tells whether a command exists and succeeds. */
    static boolean succeeds(String... command) {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Returns the prefix that keeps Ctrl-C from a server: the servers outlive the runtime, which stops on the same key.
     * Empty where the program does not exist.
     */
    static List<String> ownSession() {
        return succeeds("setsid", "true") ? List.of("setsid") : List.of();
    }

    /** Asks the process to end, and kills it after a few seconds. */
    static void end(ProcessHandle process, String signal) {
        end(process, signal, STOP_TIMEOUT);
    }

    /** Asks the process to end, and kills it after the timeout. */
    static void end(ProcessHandle process, String signal, Duration timeout) {
        List<ProcessHandle> children = process.descendants().toList();
        signal(process, signal);
        // a suspended process handles the signal after CONT
        signal(process, "CONT");
        if (!ended(process, timeout)) {
            force(process);
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }

    /** Kills the process and its children, and waits for their end. */
    static void force(ProcessHandle process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        ended(process, KILL_TIMEOUT);
        children.forEach(child -> ended(child, KILL_TIMEOUT));
    }

    /**
     * Sends a signal through the shell, because Java knows only two signals.
     *
     * @param signal name as {@code kill -s} takes it; STOP and CONT go to the children too
     */
    static void signal(ProcessHandle process, String signal) {
        List<String> command =
                new ArrayList<>(List.of("sh", "-c", "kill -s \"$0\" \"$@\"", signal, Long.toString(process.pid())));
        if (signal.equals("STOP") || signal.equals("CONT")) {
            process.descendants().map(ProcessHandle::pid).map(Object::toString).forEach(command::add);
        }
        // a process that has just ended is no error
        succeeds(command.toArray(String[]::new));
    }

    private static boolean ended(ProcessHandle process, Duration timeout) {
        CompletableFuture<ProcessHandle> exit = process.onExit();
        for (long waited = 0; process.isAlive() && waited < timeout.toMillis(); waited += POLL_MS) {
            try {
                // Java polls rarely for a process that is not its child
                exit.get(POLL_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // Look again.
            } catch (ExecutionException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return !process.isAlive();
            }
        }
        return !process.isAlive();
    }
}
