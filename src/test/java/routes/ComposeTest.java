package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.FileSystemResource;
import routes.platform.contract.OpenApi;
import routes.platform.fhir.FhirSettings;

/** Checks compose.yaml without Docker. */
class ComposeTest {

    private static final Path CONFIGURATION = Path.of("src/main/resources/application.yaml");
    private static final JsonNode COMPOSE = read();
    private static final Map<String, JsonNode> SERVICES = new TreeMap<>();

    static {
        COMPOSE.path("services").properties().forEach(field -> SERVICES.put(field.getKey(), field.getValue()));
    }

    static Set<String> services() {
        return SERVICES.keySet();
    }

    static List<String> settings() {
        List<String> names = new ArrayList<>();
        SERVICES.get("runtime").path("environment").fieldNames().forEachRemaining(names::add);
        return names;
    }

    @ParameterizedTest
    @MethodSource("services")
    void offersAServiceToThisMachineOnly(String name) {
        JsonNode service = SERVICES.get(name);
        assertThat(service.path("image").asText()).isNotEmpty();
        assertThat(service.path("ports")).isNotEmpty().allSatisfy(port -> assertThat(port.asText())
                .matches("127\\.0\\.0\\.1:\\d+:\\d+"));
        service.path("depends_on").properties().forEach(dependency -> {
            assertThat(SERVICES).containsKey(dependency.getKey());
            assertThat(dependency.getValue().path("condition").asText()).isEqualTo("service_healthy");
        });
        service.path("volumes").forEach(volume -> assertThat(
                        COMPOSE.path("volumes").has(volume.asText().split(":")[0]))
                .isTrue());
        service.path("configs").forEach(config -> assertThat(
                        COMPOSE.path("configs").has(config.path("source").asText()))
                .isTrue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"runtime", "kafka", "postgres", "schema-registry"})
    void checksTheHealthOfAServiceThatOthersWaitFor(String name) {
        assertThat(SERVICES.get(name).at("/healthcheck/test/0").asText()).isEqualTo("CMD");
    }

    @ParameterizedTest
    @CsvSource({
        "runtime, 8080",
        "runtime, 9876",
        "kafka, 9092",
        "postgres, 15432",
        "schema-registry, 8081",
        "token-issuer, 9000",
        "fhir-server, 8090"
    })
    void offersTheServicesOnThePortsOfTheContract(String service, int port) {
        assertThat(SERVICES.get(service).path("ports"))
                .anyMatch(published -> published.asText().startsWith("127.0.0.1:" + port + ":"));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void setsOnlyWhatTheRuntimeKnows(String variable) throws IOException {
        assertThat(Files.readString(CONFIGURATION).contains("${" + variable)
                        || properties().contains(uniform(variable))
                        || variable.startsWith("EVENTBROKER_FHIR_SERVERS_"))
                .as("%s is a placeholder or a property in application.yaml, or a property of Spring or Camel", variable)
                .isTrue();
    }

    @Test
    void pointsTheRuntimeToTheAddressesThatTheServersHave() {
        JsonNode environment = SERVICES.get("runtime").path("environment");
        assertThat(SERVICES.get("kafka")
                        .at("/environment/KAFKA_ADVERTISED_LISTENERS")
                        .asText())
                .contains("://"
                        + environment.path("CAMEL_COMPONENT_KAFKA_BROKERS").asText() + ",");
        assertThat(environment.path("SPRING_DATASOURCE_URL").asText())
                .isEqualTo("jdbc:postgresql://postgres:5432/"
                        + SERVICES.get("postgres")
                                .at("/environment/POSTGRES_DB")
                                .asText());
        assertThat(SERVICES.get("schema-registry").at("/healthcheck/test/7").asText())
                .isEqualTo("http://127.0.0.1:8080/apis/ccompat/v7/subjects");
        assertThat(environment.path("EVENT_BROKER_SCHEMA_REGISTRY_URL").asText())
                .isEqualTo("http://schema-registry:8080/apis/ccompat/v7");
        assertThat(environment.path("EVENT_BROKER_DATABASE_PASSWORD"))
                .isEqualTo(SERVICES.get("postgres").at("/environment/POSTGRES_PASSWORD"));
    }

    @Test
    void givesATenantAFhirServerWithADatabaseOfItsOwn() throws IOException {
        Map<String, Object> environment = new HashMap<>();
        SERVICES.get("runtime")
                .path("environment")
                .properties()
                .forEach(variable ->
                        environment.put(variable.getKey(), variable.getValue().asText()));
        FhirSettings settings = new Binder(ConfigurationPropertySources.from(new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, environment)))
                .bind("event-broker.fhir", FhirSettings.class)
                .get();
        JsonNode service = SERVICES.get("fhir-server");
        JsonNode configuration = new ObjectMapper(new YAMLFactory())
                .readTree(COMPOSE.at("/configs/fhir-server/content").asText());

        assertThat(settings.servers().keySet()).containsExactly("default");
        assertThat(settings.server("default").orElseThrow().url()).hasToString("http://fhir-server:8080/fhir");
        assertThat(service.at("/configs/0/source").asText()).isEqualTo("fhir-server");
        assertThat(configuration.at("/spring/datasource/url").asText())
                .isEqualTo("jdbc:postgresql://postgres:5432/fhir");
        assertThat(configuration.at("/spring/datasource/username"))
                .isEqualTo(SERVICES.get("postgres").at("/environment/POSTGRES_USER"));
        assertThat(service.at("/environment/SPRING_DATASOURCE_PASSWORD"))
                .isEqualTo(SERVICES.get("postgres").at("/environment/POSTGRES_PASSWORD"));
        assertThat(COMPOSE.at("/configs/databases/content").asText()).contains("CREATE DATABASE fhir;");
    }

    @Test
    void runsTheReleaseOfTheSandboxesFhirServer() throws IOException {
        // the image counts its own patches
        assertThat(version("FhirServer"))
                .startsWith(
                        SERVICES.get("fhir-server").path("image").asText().replaceAll(".*:v(\\d+\\.\\d+)\\..*", "$1."));
    }

    @Test
    void startsATokenIssuerThatTheRuntimeTrustsByDefault() throws IOException {
        JsonNode runtime = SERVICES.get("runtime").path("environment");
        String issuer = "/" + tokens().path("issuerId").asText();

        assertThat(Files.readAllLines(Path.of(".env")))
                .contains("COMPOSE_PROFILES="
                        + SERVICES.get("token-issuer").at("/profiles/0").asText());
        assertThat(byDefault(runtime.path("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI")))
                .isEqualTo("http://localhost:9000" + issuer);
        assertThat(byDefault(runtime.path("SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_JWK_SET_URI")))
                .isEqualTo("http://token-issuer:8080" + issuer + "/jwks");
        assertThat(byDefault(runtime.path("EVENT_BROKER_HTTP_TOKEN_URL")))
                .isEqualTo("http://localhost:9000" + issuer + "/token");
        assertThat(Files.readString(Path.of("bin/token")))
                .contains(byDefault(runtime.path("EVENT_BROKER_HTTP_TOKEN_URL")));
    }

    @Test
    void issuesTheTokensOfTheClientsOfTheSandbox() throws IOException {
        Set<String> all = new HashSet<>(new OpenApi(new ClassPathResource("contract/openapi.yaml")).declaredScopes());
        all.remove("tenants.all");
        Set<String> reading = all.stream()
                .filter(scope -> scope.endsWith(".read") || scope.endsWith(".rs"))
                .collect(Collectors.toSet());

        assertThat(claims("client_id", "sandbox", "default")).isEqualTo(all);
        assertThat(claims("client_id", "reader", "default")).isEqualTo(reading);
        assertThat(claims("client_id", "other", "other")).isEqualTo(all);
        assertThat(claims("scope", "sandbox", "default")).containsExactly("${scope}");
    }

    @Test
    void letsTheRuntimeWriteToItsTemporaryDirectoryOnly() {
        JsonNode runtime = SERVICES.get("runtime");
        assertThat(runtime.path("read_only").asBoolean()).isTrue();
        assertThat(runtime.path("volumes")).isEmpty();
        assertThat(runtime.path("tmpfs")).hasSize(1);
        assertThat(runtime.at("/tmpfs/0").asText()).startsWith("/tmp:");
    }

    @Test
    void givesTheRuntimeTheTimeThatItsShutdownTakes() throws IOException {
        JsonNode configuration = new ObjectMapper(new YAMLFactory()).readTree(CONFIGURATION.toFile());
        int phase = seconds(configuration.at("/spring/lifecycle/timeout-per-shutdown-phase"));
        int routes = seconds(configuration.at("/camel/main/shutdown-timeout"));

        // requests, then routes, then the threads of requests that did not end
        assertThat(seconds(SERVICES.get("runtime").path("stop_grace_period"))).isGreaterThan(phase + routes + phase);
    }

    @Test
    void hasNoTopicThatNobodyMade() {
        JsonNode kafka = SERVICES.get("kafka").path("environment");
        assertThat(kafka.path("KAFKA_AUTO_CREATE_TOPICS_ENABLE").asText()).isEqualTo("false");
        assertThat(kafka.path("KAFKA_MESSAGE_MAX_BYTES").asInt()).isEqualTo(2 << 20);
    }

    @ParameterizedTest
    @CsvSource({"kafka, KafkaServer", "postgres, PostgresServer", "schema-registry, SchemaRegistryServer"})
    void runsTheVersionsOfTheSandbox(String service, String source) throws IOException {
        assertThat(version(source))
                .startsWith(SERVICES.get(service).path("image").asText().split(":")[1]);
    }

    private static String version(String source) throws IOException {
        Matcher version = Pattern.compile(" VERSION = \"(.+)\"")
                .matcher(Files.readString(Path.of("src/test/java/sandbox", source + ".java")));
        assertThat(version.find()).isTrue();
        return version.group(1);
    }

    /** The configuration of mock-oauth2-server for its issuer. */
    private static JsonNode tokens() throws IOException {
        String escaped =
                SERVICES.get("token-issuer").at("/environment/JSON_CONFIG").asText();
        return new ObjectMapper().readTree(escaped.replace("$$", "$")).at("/tokenCallbacks/0");
    }

    /** The scopes of a client in the mapping by a parameter, whose other claims are checked. */
    private static Set<String> claims(String parameter, String client, String tenant) throws IOException {
        for (JsonNode mapping : tokens().path("requestMappings")) {
            JsonNode claims = mapping.path("claims");
            if (mapping.path("requestParam").asText().equals(parameter)
                    && claims.path("sub").asText().equals(client)) {
                assertThat(claims.path("aud").asText()).isEqualTo("event-broker");
                assertThat(claims.path("tenant").asText()).isEqualTo(tenant);
                assertThat(claims.path("organization").asText()).isEqualTo(tenant + "-organization");
                assertThat(claims.path("roles")).hasSize(1).allMatch(role -> role.asText()
                        .equals(client));
                return Set.of(claims.path("scope").asText().split(" "));
            }
        }
        throw new AssertionError("no mapping of " + client + " by " + parameter);
    }

    private static String byDefault(JsonNode variable) {
        return variable.asText().replaceAll("\\$\\{\\w+:-(.*)}", "$1");
    }

    private static int seconds(JsonNode duration) {
        return Integer.parseInt(duration.asText().replace("s", ""));
    }

    /**
     * The properties of application.yaml, and those that the metadata of Spring Boot's and Camel's starters describe.
     */
    private static Set<String> properties() throws IOException {
        Set<String> properties = new HashSet<>();
        new YamlPropertySourceLoader()
                .load("application", new FileSystemResource(CONFIGURATION)).stream()
                        .flatMap(source -> List.of(((EnumerablePropertySource<?>) source).getPropertyNames()).stream())
                        .map(ComposeTest::uniform)
                        .forEach(properties::add);
        for (URL metadata : Collections.list(
                ComposeTest.class.getClassLoader().getResources("META-INF/spring-configuration-metadata.json"))) {
            new ObjectMapper()
                    .readTree(metadata)
                    .path("properties")
                    .forEach(property ->
                            properties.add(uniform(property.path("name").asText())));
        }
        return properties;
    }

    /** Reduces a property or its environment variable to letters and digits, so that both are equal. */
    private static String uniform(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }

    private static JsonNode read() {
        try {
            return new ObjectMapper(new YAMLFactory())
                    .readTree(Path.of("compose.yaml").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
