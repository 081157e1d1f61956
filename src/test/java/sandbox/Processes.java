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

/** Signals to processes, ours and those of an earlier run. Child processes (PostgreSQL has many) always share the fate of their parent. */
final class Processes {

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(6);
    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(3);
    private static final long POLL_MS = 20;

    /** All that a server sees of this process's environment: no variable of the runtime or of a developer's shell may configure it by accident. */
    private static final List<String> INHERITED_VARIABLES =
            List.of("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH");

    private Processes() {}

    /** The command, ready to be started in that directory, its errors among its output. */
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
     * @param input what it reads from standard input
     * @throws SandboxException when it fails, with what it printed
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

    /** Whether a command exists and ends well. */
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
     * What to put before a command so that Ctrl-C in the terminal does not reach it: the servers have to outlive the runtime, which closes on the same key
     * press. Where the program for it does not exist, nothing.
     */
    static List<String> ownSession() {
        return succeeds("setsid", "true") ? List.of("setsid") : List.of();
    }

    /** Asks the process to end; ends it by force when it has not done so after a few seconds. */
    static void end(ProcessHandle process, String signal) {
        end(process, signal, STOP_TIMEOUT);
    }

    /** The same, with the time that it may take. */
    static void end(ProcessHandle process, String signal, Duration timeout) {
        List<ProcessHandle> children = process.descendants().toList();
        signal(process, signal);
        // One that was suspended handles its signal only when it may go on.
        signal(process, "CONT");
        if (!ended(process, timeout)) {
            force(process);
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }

    /** Ends the process with all that it started, at once, and waits until it is gone. */
    static void force(ProcessHandle process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        ended(process, KILL_TIMEOUT);
        children.forEach(child -> ended(child, KILL_TIMEOUT));
    }

    /**
     * Sends a signal; the shell does it, as Java knows only two of them.
     *
     * @param signal its name, as {@code kill -s} takes it; INT, TERM and so on go to the process alone, STOP and CONT also to what it started
     */
    static void signal(ProcessHandle process, String signal) {
        List<String> command =
                new ArrayList<>(List.of("sh", "-c", "kill -s \"$0\" \"$@\"", signal, Long.toString(process.pid())));
        if (signal.equals("STOP") || signal.equals("CONT")) {
            process.descendants().map(ProcessHandle::pid).map(Object::toString).forEach(command::add);
        }
        // A process that has just ended is no error.
        succeeds(command.toArray(String[]::new));
    }

    private static boolean ended(ProcessHandle process, Duration timeout) {
        CompletableFuture<ProcessHandle> exit = process.onExit();
        for (long waited = 0; process.isAlive() && waited < timeout.toMillis(); waited += POLL_MS) {
            try {
                // Java itself looks rarely after a process that is not its child.
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
