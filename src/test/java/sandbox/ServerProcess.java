package sandbox;

import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs one server as a process: starts it, waits until it is ready, stops it. For tests of outages it also kills,
 * suspends and restarts it, on the same data and port.
 *
 * <p>The sandbox directory has {@code <name>/} for data, {@code <name>.log} for output, and {@code <name>.pid} while it
 * runs.
 */
public final class ServerProcess implements AutoCloseable {

    private static final Duration READY_TIMEOUT = Duration.ofSeconds(120);
    private static final Duration PATIENT_STOP_TIMEOUT = Duration.ofSeconds(60);
    private static final long PROBE_INTERVAL_MS = 50;
    private static final long LOG_KEPT_BYTES = 16L << 20;
    private static final int TAIL_BYTES = 4096;

    private final Server server;
    private final int port;
    private final Path data;
    private final Path log;
    private final PidFile pidFile;
    private final PrintStream out;
    private volatile Process process;

    /**
     * @param directory for data, log and pid file
     * @param port on the loopback address, the same for every start
     * @param out gets one line when the server is ready
     */
    ServerProcess(Server server, Path directory, int port, PrintStream out) {
        this.server = server;
        this.port = port;
        this.data = directory.resolve(server.name()).toAbsolutePath().normalize();
        this.log = directory.resolve(server.name() + ".log");
        this.pidFile = new PidFile(directory.resolve(server.name() + ".pid"));
        this.out = out;
    }

    Server server() {
        return server;
    }

    public String name() {
        return server.name();
    }

    public int port() {
        return port;
    }

    /** Returns the address for clients. */
    public String address() {
        return server.address(port);
    }

    /** Returns the Spring properties that point the runtime to it. */
    public Map<String, String> properties() {
        return server.properties(port);
    }

    /** Returns its log; every start appends. */
    public Path log() {
        return log;
    }

    /**
     * Returns the pid of the server.
     *
     * @throws IllegalStateException when it does not run
     */
    public synchronized long pid() {
        return running().pid();
    }

    public synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /**
     * Starts the server and waits until it serves clients; a running server stays as it is.
     *
     * @throws SandboxException with the end of the log, when the start fails
     */
    public synchronized void start() {
        if (isAlive()) {
            return;
        }
        try {
            Stopwatch watch = new Stopwatch();
            clearTheWay();
            Server.Site site = new Server.Site(server.install(), data, port);
            watch.lap("installed");
            if (format(site)) {
                watch.lap("formatted");
            }
            Distributions.delete(site.temporary());
            Files.createDirectories(site.temporary());
            long logStart = launch(server.launch(site));
            awaitReady(site, logStart);
            watch.lap("started");
            out.printf("%-16s ready at %s (%s; log %s)%n", name(), address(), watch, log);
        } catch (IOException e) {
            forceDown();
            throw new SandboxException("%s cannot be started: %s".formatted(name(), e), e);
        } catch (InterruptedException e) {
            forceDown();
            Thread.currentThread().interrupt();
            throw new SandboxException("%s: the start was interrupted".formatted(name()), e);
        } catch (SandboxException e) {
            forceDown();
            throw e;
        } catch (Exception e) {
            forceDown();
            throw new SandboxException("%s cannot be started: %s".formatted(name(), e.getMessage()), e);
        }
    }

    /** Lets the server close its files and end, and kills it after a few seconds. */
    public synchronized void stop() {
        if (process != null) {
            Processes.end(process.toHandle(), server.stopSignal());
            forgetProcess();
        }
    }

    /** Lets the server end within a minute: a broker first hands its partitions to others. */
    public synchronized void stopPatiently() {
        Processes.end(running().toHandle(), server.stopSignal(), PATIENT_STOP_TIMEOUT);
        forgetProcess();
    }

    /** Kills the server and its child processes, as a power failure would (SIGKILL). */
    public synchronized void kill() {
        Processes.force(running().toHandle());
        forgetProcess();
    }

    /**
     * Freezes the server (SIGSTOP): it accepts connections and answers nothing. {@link #resume()} and a stop end the
     * freeze.
     */
    public synchronized void suspend() {
        Processes.signal(running().toHandle(), "STOP");
    }

    /** Resumes a frozen server. */
    public synchronized void resume() {
        Processes.signal(running().toHandle(), "CONT");
    }

    /** Kills the server during its start, in the last moments of a JVM. */
    void abandon() {
        Process abandoned = process;
        if (abandoned != null) {
            Processes.force(abandoned.toHandle());
            deletePidFile();
        }
    }

    /** Calls {@link #stop()}. */
    @Override
    public void close() {
        stop();
    }

    /**
     * Stops leftovers of a killed run, and makes sure that the port is free. Runs before any download.
     *
     * @throws SandboxException when another process holds the port
     */
    synchronized void clearTheWay() throws IOException {
        if (isAlive()) {
            return;
        }
        pidFile.process().ifPresent(left -> {
            out.printf("%-16s stopping process %d, left behind by a run that was killed%n", name(), left.pid());
            Processes.end(left, server.stopSignal());
        });
        pidFile.delete();
        Ports.requireFree(name(), port);
    }

    /** Formats the data directory again until a format succeeds; before that it holds no data. */
    private boolean format(Server.Site site) throws Exception {
        Path formatted = data.resolve("formatted");
        if (Files.exists(formatted)) {
            return false;
        }
        Distributions.delete(data);
        Files.createDirectories(data);
        server.format(site);
        Files.createFile(formatted);
        return true;
    }

    /** @return size of the log before the start */
    private long launch(Launch launch) throws IOException {
        if (Files.exists(log) && Files.size(log) > LOG_KEPT_BYTES) {
            Files.delete(log);
        }
        long logStart = Files.exists(log) ? Files.size(log) : 0;
        List<String> command = new ArrayList<>(Processes.ownSession());
        command.addAll(launch.command());
        process = Processes.builder(new Launch(command, launch.environment()), data)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        process.getOutputStream().close();
        pidFile.write(process.toHandle());
        return logStart;
    }

    private void awaitReady(Server.Site site, long logStart) throws InterruptedException, IOException {
        Instant deadline = Instant.now().plus(READY_TIMEOUT);
        Exception last = null;
        while (Instant.now().isBefore(deadline)) {
            if (process.waitFor(PROBE_INTERVAL_MS, TimeUnit.MILLISECONDS)) {
                throw new SandboxException("%s ended with exit code %d while it started; the end of %s:%n%s"
                        .formatted(name(), process.exitValue(), log, tail(logStart)));
            }
            try {
                // another server may answer on the port
                if (Ports.answers(port) && server.ready(site) && process.isAlive()) {
                    return;
                }
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                last = e;
            }
        }
        throw new SandboxException(
                "%s was not ready within %d s; the end of %s:%n%s"
                        .formatted(name(), READY_TIMEOUT.toSeconds(), log, tail(logStart)),
                last);
    }

    private String tail(long from) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            long start = Math.max(from, file.length() - TAIL_BYTES);
            byte[] bytes = new byte[(int) (file.length() - start)];
            file.seek(start);
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8).strip();
        }
    }

    private Process running() {
        if (!isAlive()) {
            throw new IllegalStateException(name() + " is not running");
        }
        return process;
    }

    private void forceDown() {
        if (process != null) {
            Processes.force(process.toHandle());
            forgetProcess();
        }
    }

    private void forgetProcess() {
        process = null;
        deletePidFile();
    }

    private void deletePidFile() {
        try {
            pidFile.delete();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
