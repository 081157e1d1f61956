package sandbox;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Runs the FHIR R4 server HAPI JPA from {@code HapiServer.java} of the test resources, with the libraries of its
 * release. It keeps its resources in a database of its own on the PostgreSQL of the sandbox.
 */
final class FhirServer implements Server {

    static final String NAME = "fhir-server";

    private static final String VERSION = "8.6.1";
    private static final String SOURCE = "HapiServer.java";
    private static final String MAIN = "sandbox.HapiServer";
    private static final String DATABASE = "fhir";
    private static final int MAX_HEAP_MIB = 512;

    /** The first search after a start loads many classes. */
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(20);

    /** HAPI's dependency management has these versions too, but a direct dependency names its own. */
    private static final String JETTY_VERSION = "12.0.17";

    private static final String SLF4J_VERSION = "2.0.16";

    /** What the server of the sandbox never loads: other databases, other versions of FHIR, full-text search, pages. */
    private static final List<String> UNUSED = List.of(
            "com.oracle.database.jdbc:*",
            "org.xerial:*",
            "software.amazon.awssdk:*",
            "org.hibernate.search:hibernate-search-backend-elasticsearch-aws",
            "co.elastic.clients:*",
            "org.elasticsearch.client:*",
            "org.springdoc:*",
            "net.sourceforge.plantuml:*",
            "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-dstu2",
            "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-dstu3",
            "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4b",
            "ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r5");

    private final MavenArtifacts artifacts;
    private final Distributions distributions;
    private final int postgresPort;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PROBE_TIMEOUT)
            .build();

    /** @param postgresPort the port of the PostgreSQL server, which is ready before this server starts */
    FhirServer(MavenArtifacts artifacts, Distributions distributions, int postgresPort) {
        this.artifacts = artifacts;
        this.distributions = distributions;
        this.postgresPort = postgresPort;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int contractPort() {
        return 8090;
    }

    @Override
    public List<Path> install() {
        List<Path> libraries = artifacts.classPath(new MavenArtifacts.Libraries(
                List.of(
                        "ca.uhn.hapi.fhir:hapi-fhir-jpaserver-base:" + VERSION,
                        "org.eclipse.jetty.ee10:jetty-ee10-servlet:" + JETTY_VERSION,
                        "org.slf4j:slf4j-simple:" + SLF4J_VERSION),
                "ca.uhn.hapi.fhir:hapi-fhir:pom:" + VERSION,
                UNUSED));
        return distributions.withProgram(SOURCE, libraries);
    }

    @Override
    public void format(Site site) {
        // all data are in the database
    }

    @Override
    public Launch launch(Site site) throws SQLException {
        PostgresServer.createDatabase(postgresPort, DATABASE);
        return Launch.java(
                site,
                MAX_HEAP_MIB,
                List.of(
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
                        // HAPI's own configuration causes its warning
                        "-Dorg.slf4j.simpleLogger.log.org.springframework.context.support=error"),
                List.of(
                        MAIN,
                        "--host=" + Ports.LOOPBACK,
                        "--port=" + site.port(),
                        "--address=" + address(site.port()),
                        "--database=" + PostgresServer.address(postgresPort, DATABASE),
                        "--user=" + DATABASE,
                        "--password=" + DATABASE));
    }

    /** Searches: that needs the database too. */
    @Override
    public boolean ready(Site site) throws IOException, InterruptedException {
        HttpRequest count = HttpRequest.newBuilder(URI.create(address(site.port()) + "/Patient?_summary=count"))
                .timeout(PROBE_TIMEOUT)
                .build();
        return http.send(count, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    }

    @Override
    public String address(int port) {
        return "http://%s:%d/fhir".formatted(Ports.LOOPBACK, port);
    }

    @Override
    public Map<String, String> properties(int port) {
        return Map.of("event-broker.fhir.servers.default.url", address(port));
    }
}
