package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.swagger.v3.oas.models.Operation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.core.io.ClassPathResource;
import org.springframework.util.PropertyPlaceholderHelper;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.contract.OpenApi;

/** Compares routes and contract files in both directions. */
class ContractTest {

    private static final Path CONTRACT = Path.of("src/main/resources/contract");
    private static final PropertyPlaceholderHelper PLACEHOLDERS = new PropertyPlaceholderHelper("{{", "}}");

    private final AsyncApi asyncApi = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final List<JsonNode> routes = RouteYaml.routes();

    @Test
    void everyOperationHasARouteAndViceVersa() throws IOException {
        Set<String> operations = new OpenApi(new ClassPathResource("contract/openapi.yaml"))
                .operations()
                .map(Operation::getOperationId)
                .collect(Collectors.toCollection(TreeSet::new));

        Set<String> entries = routes.stream()
                .filter(route -> route.path("routeConfigurationId").asText().equals("http"))
                .map(route -> route.at("/from/uri").asText().replace("direct:", ""))
                // the FHIR facade has the contract of the server behind it
                .filter(uri -> !uri.equals("platform-http:/fhir"))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(entries)
                .as("operations of openapi.yaml that have a route: add a route from direct:<operationId> with"
                        + " routeConfigurationId http for each that is missing")
                .containsAll(operations);
        assertThat(operations)
                .as(
                        "routes with routeConfigurationId http that have an operation in openapi.yaml: add the operation for"
                                + " each that is missing, or make the route a sub-route")
                .containsAll(entries);
    }

    @Test
    void everyErrorResponseHasItsOwnExample() throws IOException {
        JsonNode file = new ObjectMapper(new YAMLFactory())
                .readTree(CONTRACT.resolve("openapi.yaml").toFile());
        file.path("paths")
                .forEach(path -> path.forEach(operation -> operation.path("responses").properties().stream()
                        .filter(response -> response.getKey().compareTo("400") >= 0)
                        .forEach(response -> {
                            String ref = response.getValue().path("$ref").asText();
                            JsonNode example = file.at(ref.substring(1) + "/content/application~1problem+json/example");
                            assertThat(example.path("status").asText())
                                    .as(
                                            "%s of %s",
                                            ref, operation.path("operationId").asText())
                                    .isEqualTo(response.getKey());
                        })));
    }

    @Test
    void everyOperationDeclaresTheCommonErrors() throws IOException {
        assertThat(new OpenApi(new ClassPathResource("contract/openapi.yaml")).operations())
                .allSatisfy(operation -> {
                    List<String> errors = new ArrayList<>(List.of("400", "401", "403", "429", "503"));
                    if (operation.getRequestBody() != null) {
                        errors.addAll(List.of("408", "413", "415"));
                    }
                    assertThat(operation.getResponses())
                            .as("responses of %s in openapi.yaml", operation.getOperationId())
                            .containsKeys(errors.toArray(String[]::new));
                });
    }

    @Test
    void everyReceivingOperationHasARouteOfItsGroupAndViceVersa() {
        Set<String> contract = asyncApi.channels().stream()
                .flatMap(channel -> Stream.of(channel, asyncApi.deadLetters(channel)))
                .flatMap(channel -> channel.groups().stream().map(group -> group + " <- " + channel.topic()))
                .collect(Collectors.toCollection(TreeSet::new));

        Set<String> consumed = routes.stream()
                .filter(route -> route.at("/from/uri").asText().startsWith("kafka:"))
                .flatMap(route -> topics(route)
                        .map(topic -> route.at("/from/parameters/groupId").asText() + " <- " + topic))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(consumed)
                .as(
                        "receiving operations of asyncapi.yaml that have a route (group <- topic): add a route that reads the"
                                + " topic in this group for each that is missing, or remove the operation")
                .containsAll(contract);
        assertThat(contract)
                .as("routes that read a topic and have a receiving operation in asyncapi.yaml (group <- topic): add the"
                        + " operation for each that is missing, and the channel when the topic is new")
                .containsAll(consumed);
    }

    @Test
    void everyOperationRefersToAnExistingChannel() throws IOException {
        JsonNode file = new ObjectMapper(new YAMLFactory())
                .readTree(CONTRACT.resolve("asyncapi.yaml").toFile());
        file.path("operations").properties().forEach(operation -> {
            String ref = operation.getValue().at("/channel/$ref").asText();
            assertThat(ref)
                    .as("channel.$ref of operation %s in asyncapi.yaml", operation.getKey())
                    .startsWith("#/channels/");
            assertThat(file.at(ref.substring(1)).isObject())
                    .as("operation %s in asyncapi.yaml refers to %s, which exists", operation.getKey(), ref)
                    .isTrue();
        });
    }

    @Test
    void everyChannelHasAnOwnerThatReceivesFromIt() {
        assertThat(asyncApi.channels()).allSatisfy(channel -> assertThat(channel.groups())
                .as("groups that receive from %s: its x-owning-group is one of them", channel.topic())
                .contains(channel.owningGroup()));
    }

    @Test
    void declaresOnlyScopesThatAnOperationNeeds() throws IOException {
        OpenApi openApi = new OpenApi(new ClassPathResource("contract/openapi.yaml"));

        assertThat(openApi.declaredScopes())
                .as("tenants.all belongs to a parameter, system/ to FHIR, and every other scope to an operation")
                .filteredOn(scope -> !scope.equals("tenants.all") && !scope.startsWith("system/"))
                .isSubsetOf(scopesOfOperations(openApi));
    }

    private static Set<String> scopesOfOperations(OpenApi openApi) {
        return openApi.operations()
                .flatMap(operation -> OpenApi.scopes(operation).stream())
                .collect(Collectors.toSet());
    }

    @Test
    void callersWriteWithTheScopeOfAnOperation() throws IOException {
        Set<String> scopes = scopesOfOperations(new OpenApi(new ClassPathResource("contract/openapi.yaml")));

        assertThat(asyncApi.channels())
                .filteredOn(channel -> channel.writePermission() != null)
                .isNotEmpty()
                .allSatisfy(channel -> assertThat(scopes)
                        .as(
                                "scopes of operations: x-callers-write of %s in asyncapi.yaml is one of them",
                                channel.topic())
                        .contains(channel.writePermission().scope()));
        assertThat(asyncApi.channels())
                .filteredOn(Channel::publishable)
                .as("POST /api/topics/{topic}/events writes to these in the name of the caller")
                .allSatisfy(
                        channel -> assertThat(channel.writePermission().scope()).isEqualTo("events.write"));
    }

    @Test
    void everyChannelSchemaIsAFileAndNoFileIsLeftOver() throws IOException {
        Set<String> referred = new ObjectMapper(new YAMLFactory())
                .readTree(CONTRACT.resolve("asyncapi.yaml").toFile()).findValuesAsText("$ref").stream()
                        .filter(ref -> ref.endsWith(".json") || ref.endsWith(".avsc"))
                        .collect(Collectors.toSet());
        assertThat(referred).allSatisfy(ref -> assertThat(CONTRACT.resolve(ref)).exists());

        for (Path schema : list(Path.of("schemas"), ".avsc")) {
            assertThat(referred)
                    .as("%s is referred to", schema)
                    .anyMatch(ref -> ref.endsWith("/" + schema.getFileName()));
        }
        for (Path schema : list(Path.of("schemas"), ".json")) {
            String name = schema.getFileName().toString();
            boolean used = referred.stream().anyMatch(ref -> ref.endsWith("/" + name))
                    || list(Path.of("schemas"), ".json").stream()
                            .anyMatch(other -> read(other).contains("\"" + name + "\""));
            assertThat(used).as("%s is referred to", name).isTrue();
        }
    }

    @Test
    void everyRegexHasADescriptionInWords() throws IOException {
        List<JsonNode> files = new ArrayList<>(List.of(new ObjectMapper(new YAMLFactory())
                .readTree(CONTRACT.resolve("openapi.yaml").toFile())));
        for (Path schema : list(Path.of("schemas"), ".json")) {
            files.add(new ObjectMapper().readTree(schema.toFile()));
        }

        assertThat(files)
                .flatExtracting(file -> file.findParents("pattern"))
                .isNotEmpty()
                .allSatisfy(schema -> assertThat(schema.path("description").asText())
                        .as("description of %s, which completes \"must be\"", schema)
                        .isNotEmpty());
    }

    private Stream<String> topics(JsonNode route) {
        String topics =
                PLACEHOLDERS.replacePlaceholders(route.at("/from/uri").asText().replace("kafka:", ""), defaults());
        if (!route.at("/from/parameters/topicIsPattern").asBoolean()) {
            return Stream.of(topics.split(","));
        }
        Pattern pattern = Pattern.compile(topics);
        return asyncApi.channels().stream()
                .flatMap(channel -> Stream.of(channel.topic(), AsyncApi.deadLetterTopic(channel.topic())))
                .filter(topic -> pattern.matcher(topic).matches());
    }

    private static Properties defaults() {
        YamlPropertiesFactoryBean yaml = new YamlPropertiesFactoryBean();
        yaml.setResources(new ClassPathResource("application.yaml"));
        return yaml.getObject();
    }

    private static List<Path> list(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix)).toList();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
