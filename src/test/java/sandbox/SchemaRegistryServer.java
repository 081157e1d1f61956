package sandbox;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Runs Apicurio Registry, with the interface that it shares with Confluent's registry. This is the last line of
 * versions for Java 17.
 */
final class SchemaRegistryServer implements Server {

    static final String NAME = "schema-registry";

    private static final String VERSION = "2.6.13.Final";
    private static final int MAX_HEAP_MIB = 256;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

    private final MavenArtifacts artifacts;
    private final Distributions distributions;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PROBE_TIMEOUT)
            .build();

    SchemaRegistryServer(MavenArtifacts artifacts, Distributions distributions) {
        this.artifacts = artifacts;
        this.distributions = distributions;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int contractPort() {
        return 8081;
    }

    @Override
    public List<Path> install() {
        String coordinates = "io.apicurio:apicurio-registry-app:tar.gz:all:" + VERSION;
        try {
            Path directory = distributions.unpacked(
                    "apicurio-registry-" + VERSION,
                    () -> new GZIPInputStream(Files.newInputStream(artifacts.file(coordinates)), BUFFER_BYTES));
            // its manifest names the libraries beside it
            return List.of(directory.resolve("apicurio-registry-app-%s-runner.jar".formatted(VERSION)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException("schema-registry: unpacking was interrupted", e);
        }
    }

    @Override
    public void format(Site site) {
        // the server creates its own database
    }

    @Override
    public Launch launch(Site site) {
        List<String> configuration = List.of(
                "-Dquarkus.http.host=" + Ports.LOOPBACK,
                "-Dquarkus.http.port=" + site.port(),
                // In memory, as by default, ids would begin anew beside records that hold the old ones; without
                // WRITE_DELAY=0, a kill gives an id twice.
                "-Dquarkus.datasource.jdbc.url=jdbc:h2:file:%s;WRITE_DELAY=0"
                        .formatted(site.data().resolve("db")),
                "-Dquarkus.datasource.jdbc.initial-size=1",
                "-Dquarkus.datasource.jdbc.min-size=1",
                "-Dquarkus.datasource.jdbc.max-size=8",
                "-Dquarkus.log.level=WARN",
                "-Dquarkus.log.category.\"io.apicurio\".level=WARN",
                "-Dquarkus.banner.enabled=false");
        return Launch.java(site, MAX_HEAP_MIB, configuration, List.of("io.quarkus.runner.GeneratedMain"));
    }

    @Override
    public boolean ready(Site site) throws IOException, InterruptedException {
        HttpRequest subjects = HttpRequest.newBuilder(URI.create(address(site.port()) + "/subjects"))
                .timeout(PROBE_TIMEOUT)
                .build();
        return http.send(subjects, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    }

    @Override
    public String address(int port) {
        return "http://%s:%d/apis/ccompat/v7".formatted(Ports.LOOPBACK, port);
    }

    @Override
    public Map<String, String> properties(int port) {
        return Map.of("event-broker.schema-registry.url", address(port));
    }
}
