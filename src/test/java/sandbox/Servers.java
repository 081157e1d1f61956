package sandbox;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PrimitiveIterator;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Starts all servers of the runtime together. The local run uses the ports of the contract and keeps its data.
 * Integration tests use free ports and fresh data, once per JVM.
 */
public final class Servers implements AutoCloseable {

    private static final long NEEDED_DISK_BYTES = 1L << 30;
    private static final long ABANDON_TIMEOUT_S = 8;
    private static final Path BUILD = Path.of("target");

    private static Servers shared;

    private final Path directory;
    private final boolean clean;
    private final PrintStream out;
    private final List<ServerProcess> atOnce;
    private final ServerProcess fhirServer;
    private final List<ServerProcess> processes;
    private final Map<String, Integer> runtimePorts;
    private DirectoryLock lock;
    private volatile ExecutorService starting;
    private volatile boolean abandoned;
    private boolean fhirServerAsked;

    /**
     * @param directory for data, logs and pid files; the software is beside it
     * @param port the port for each server
     * @param runtimePorts ports of the runtime by name, checked before the start
     * @param clean whether to start with empty data
     * @param out shows the progress
     */
    Servers(
            Path directory,
            ToIntFunction<Server> port,
            Map<String, Integer> runtimePorts,
            boolean clean,
            PrintStream out) {
        this(directory, port, runtimePorts, clean, out, artifacts -> List.of(new KafkaServer(artifacts)));
    }

    private Servers(
            Path directory,
            ToIntFunction<Server> port,
            Map<String, Integer> runtimePorts,
            boolean clean,
            PrintStream out,
            Function<MavenArtifacts, List<KafkaServer>> brokers) {
        this.directory = directory;
        this.runtimePorts = runtimePorts;
        this.clean = clean;
        this.out = out;
        Path software = directory.toAbsolutePath().resolveSibling("server-software");
        MavenArtifacts artifacts = new MavenArtifacts(software, out);
        Distributions distributions = new Distributions(software);
        Stream<Server> others = Stream.of(
                new PostgresServer(artifacts, distributions),
                new SchemaRegistryServer(artifacts, distributions),
                new TokenIssuerServer(artifacts, distributions));
        this.atOnce = Stream.concat(brokers.apply(artifacts).stream(), others)
                .map(server -> process(server, port))
                .toList();
        this.fhirServer = process(
                new FhirServer(
                        artifacts, distributions, process(PostgresServer.NAME).port()),
                port);
        this.processes = Stream.concat(atOnce.stream(), Stream.of(fhirServer)).toList();
    }

    private ServerProcess process(Server server, ToIntFunction<Server> port) {
        return new ServerProcess(server, directory, port.applyAsInt(server), out);
    }

    /**
     * Makes the servers of the local run, not yet started, with data under {@code target/sandbox}. System properties:
     * {@code sandbox.<name>.port} for another port, {@code sandbox.clean} for empty data.
     *
     * @param runtimePorts ports of the runtime by name
     */
    public static Servers sandbox(Map<String, Integer> runtimePorts) {
        String clean = System.getProperty("sandbox.clean", "false");
        return new Servers(
                BUILD.resolve("sandbox"),
                server -> configuredPort(server.name(), server.contractPort()),
                runtimePorts,
                clean.isBlank() || Boolean.parseBoolean(clean),
                System.out);
    }

    /**
     * Returns the servers that all tests of this JVM share, started on first use. A test that stops one of them starts
     * it again.
     */
    public static synchronized Servers shared() {
        if (shared == null) {
            Servers servers = own(sharedDirectory().getFileName().toString());
            Runtime.getRuntime().addShutdownHook(new Thread(servers::close, "stop servers"));
            shared = servers;
        }
        return shared;
    }

    /** Returns the directory of the shared servers: each JVM of the tests has its own. */
    public static Path sharedDirectory() {
        return BUILD.resolve("it-servers-" + TestJvm.NUMBER);
    }

    /**
     * Starts servers for one test class, on free ports with fresh data. The class closes them.
     *
     * @param directory name of a directory under {@code target}
     */
    public static Servers own(String directory) {
        return own(directory, artifacts -> List.of(new KafkaServer(artifacts)));
    }

    /**
     * Starts the same with a broker that authenticates clients and needs ACLs, see {@link #kafkaClient}.
     *
     * @param directory name of a directory under {@code target}
     */
    public static Servers secured(String directory) {
        return own(directory, artifacts -> List.of(new SecuredKafkaServer(artifacts)));
    }

    /**
     * Starts the same with three {@link #brokers()}, which keep three replicas of every topic.
     *
     * @param directory name of a directory under {@code target}
     */
    public static Servers cluster(String directory) {
        return own(directory, ClusteredKafkaServer::cluster);
    }

    private static Servers own(String directory, Function<MavenArtifacts, List<KafkaServer>> brokers) {
        PrimitiveIterator.OfInt ports = Ports.free();
        Servers servers =
                new Servers(BUILD.resolve(directory), server -> ports.nextInt(), Map.of(), true, System.out, brokers);
        servers.start();
        return servers;
    }

    /**
     * Returns the configuration of a client of the secured broker.
     *
     * @param user {@code admin}, who may do everything, {@code medication-service}, or {@code stranger}
     */
    public Map<String, Object> kafkaClient(String user) {
        return ((SecuredKafkaServer) kafka().server()).client(kafka().port(), user);
    }

    /** Returns the properties of the runtime with a token instead of a password. */
    public Map<String, String> kafkaPropertiesWithToken() {
        return SecuredKafkaServer.runtimeProperties(
                ((SecuredKafkaServer) kafka().server()).clientWithToken(kafka().port()));
    }

    /** Returns the properties of the runtime with a certificate instead of a password. */
    public Map<String, String> kafkaPropertiesWithCertificate() {
        return SecuredKafkaServer.runtimeProperties(((SecuredKafkaServer) kafka().server()).clientWithCertificate());
    }

    /**
     * Starts all servers but the {@link #fhirServer()} at once and waits until they are ready.
     *
     * @throws SandboxException when one cannot be started; then none runs
     */
    public synchronized void start() {
        CountDownLatch done = new CountDownLatch(1);
        Thread guard = new Thread(() -> abandon(done), "abandon servers");
        Runtime.getRuntime().addShutdownHook(guard);
        try {
            Files.createDirectories(directory);
            if (lock == null) {
                lock = DirectoryLock.take(directory);
            }
            checkDisk(directory, NEEDED_DISK_BYTES);
            // first of all, so that every taken port is known within seconds
            whileStarting(Stream.concat(
                            each(processes, Servers::clearTheWay).stream(),
                            runtimePorts.entrySet().stream()
                                    .<Runnable>map(port -> () -> Ports.requireFree(port.getKey(), port.getValue())))
                    .toList());
            if (clean) {
                empty();
            }
            whileStarting(each(atOnce, ServerProcess::start));
        } catch (IOException e) {
            close();
            throw new SandboxException("The servers cannot be started in %s: %s".formatted(directory, e), e);
        } catch (RuntimeException e) {
            close();
            throw e;
        } finally {
            done.countDown();
            remove(guard);
        }
    }

    /** Returns the Spring properties that point the runtime to these servers. */
    public Map<String, String> properties() {
        Map<String, String> properties = new TreeMap<>();
        // the brokers of a cluster share one property
        processes.forEach(process ->
                process.properties().forEach((name, value) -> properties.merge(name, value, (a, b) -> a + "," + b)));
        return properties;
    }

    /** Returns a line per server: name, address, pid, log. */
    public String summary() {
        return processes.stream()
                .map(process -> "%-16s %s (process %s, log %s)"
                        .formatted(
                                process.name(),
                                process.address(),
                                process.isAlive() ? Long.toString(process.pid()) : "none",
                                process.log()))
                .collect(Collectors.joining(System.lineSeparator()));
    }

    /** Returns the only broker. */
    public ServerProcess kafka() {
        return process(KafkaServer.NAME);
    }

    public List<ServerProcess> brokers() {
        return processes.stream()
                .filter(process -> process.server() instanceof KafkaServer)
                .toList();
    }

    public ServerProcess postgres() {
        return process(PostgresServer.NAME);
    }

    public ServerProcess schemaRegistry() {
        return process(SchemaRegistryServer.NAME);
    }

    public ServerProcess tokenIssuer() {
        return process(TokenIssuerServer.NAME);
    }

    /**
     * Returns the FHIR server. The first call starts it and waits until it is ready: few tests need it, its start takes
     * many seconds, and the runtime starts without it. {@link #properties()} has its address from the beginning.
     *
     * @throws SandboxException when it cannot be started
     */
    public synchronized ServerProcess fhirServer() {
        if (!fhirServerAsked) {
            if (lock == null) {
                throw new SandboxException("The servers are stopped");
            }
            whileStarting(List.of(fhirServer::start));
            fhirServerAsked = true;
        }
        return fhirServer;
    }

    /** Returns the file with the private keys of the token issuer, for tests that forge tokens. */
    public Path tokenKeys() {
        return TokenIssuerServer.keys(directory.resolve(TokenIssuerServer.NAME));
    }

    /**
     * Stops all servers within seconds, and leaves no process and no pid file; the data stays. A second call does
     * nothing.
     */
    @Override
    public void close() {
        // the FHIR server may be starting
        breakOff();
        stop();
    }

    private synchronized void stop() {
        if (lock == null) {
            return;
        }
        try {
            all(Executors.newCachedThreadPool(), each(processes, ServerProcess::close));
        } finally {
            try {
                lock.close();
                lock = null;
            } catch (IOException e) {
                out.printf("%s stays locked: %s%n", directory, e);
            }
        }
    }

    /**
     * Breaks off the start on Ctrl-C and closes the servers, which have sessions of their own and do not hear the key.
     * After a timeout, as during a download, it kills them.
     */
    private void abandon(CountDownLatch done) {
        try {
            abandoned = true;
            breakOff();
            if (done.await(ABANDON_TIMEOUT_S, TimeUnit.SECONDS)) {
                // the start may have succeeded meanwhile
                close();
            } else {
                processes.forEach(ServerProcess::abandon);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void breakOff() {
        ExecutorService executor = starting;
        if (executor != null) {
            executor.shutdownNow();
        }
    }

    private static void remove(Thread guard) {
        try {
            Runtime.getRuntime().removeShutdownHook(guard);
        } catch (IllegalStateException e) {
            // the JVM ends and the guard runs
        }
    }

    private ServerProcess process(String name) {
        return atOnce.stream()
                .filter(process -> process.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Returns {@code -Dsandbox.<name>.port}, or the port of the contract. */
    static int configuredPort(String name, int contractPort) {
        String property = "sandbox.%s.port".formatted(name);
        String port = System.getProperty(property, "");
        try {
            return port.isBlank() ? contractPort : Integer.parseInt(port);
        } catch (NumberFormatException e) {
            throw new SandboxException("%s is no port: -D%s takes a number".formatted(port, property), e);
        }
    }

    /** Reports a full disk in one line before the start, instead of minutes later in a server log. */
    static void checkDisk(Path directory, long neededBytes) throws IOException {
        long free = Files.getFileStore(directory).getUsableSpace();
        if (free < neededBytes) {
            throw new SandboxException(
                    "The servers need %d MiB of free disk at %s, only %d MiB are left. Make room, for instance with -Dsandbox.clean"
                            .formatted(neededBytes >> 20, directory, free >> 20));
        }
    }

    private void empty() throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, entry -> !entry.endsWith("lock"))) {
            for (Path entry : entries) {
                Distributions.delete(entry);
            }
        }
    }

    private static void clearTheWay(ServerProcess process) {
        try {
            process.clearTheWay();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Runnable> each(List<ServerProcess> processes, Consumer<ServerProcess> work) {
        return processes.stream()
                .<Runnable>map(process -> () -> work.accept(process))
                .toList();
    }

    private void whileStarting(List<Runnable> work) {
        starting = Executors.newCachedThreadPool();
        try {
            all(
                    starting,
                    work.stream()
                            .<Runnable>map(one -> () -> {
                                if (!abandoned) {
                                    one.run();
                                }
                            })
                            .toList());
        } finally {
            starting = null;
        }
    }

    /** @throws SandboxException with all failures, one per line, after all work has ended */
    private void all(ExecutorService executor, List<Runnable> work) {
        List<Future<?>> futures = new ArrayList<>();
        work.forEach(one -> futures.add(executor.submit(one)));
        executor.shutdown();
        List<Throwable> failures =
                futures.stream().map(this::failure).flatMap(Optional::stream).toList();
        if (!failures.isEmpty()) {
            String message = failures.stream()
                    .map(failure -> failure instanceof SandboxException ? failure.getMessage() : failure.toString())
                    .collect(Collectors.joining(System.lineSeparator()));
            SandboxException all = new SandboxException(message, failures.get(0));
            failures.stream().skip(1).forEach(all::addSuppressed);
            throw all;
        }
    }

    /**
     * Waits also when interrupted, so that no server is left half-way. An interrupt breaks off a start, never a stop.
     */
    private Optional<Throwable> failure(Future<?> future) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    future.get();
                    return Optional.empty();
                } catch (ExecutionException e) {
                    return Optional.of(e.getCause());
                } catch (InterruptedException e) {
                    interrupted = true;
                    breakOff();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
