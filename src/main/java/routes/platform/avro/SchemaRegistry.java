package routes.platform.avro;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.StreamSupport;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.stereotype.Component;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import routes.platform.contract.AvroSchema;
import routes.platform.error.MalformedAvroException;
import routes.platform.error.UnknownSchemaException;

/**
 * Asks a schema registry with Confluent's REST interface, once for each id. Schemas never change, so it keeps them in
 * memory, and the registry may be down afterwards. It does not cache unknown ids: they may be registered later.
 *
 * @see <a href="https://docs.confluent.io/platform/current/schema-registry/develop/api.html">Schema Registry API</a>
 */
@Component
public class SchemaRegistry {

    private static final String JSON = "application/vnd.schemaregistry.v1+json";
    private static final String COMPATIBILITY = "BACKWARD";
    private static final int MAX_ANSWER = 4 << 20;

    /** The largest {@link SchemaSize}. */
    private static final int MAX_SIZE = 10_000;

    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int UNPROCESSABLE = 422;

    /** The registry's own code; any other 404 may come from a proxy. */
    private static final int SCHEMA_NOT_FOUND = 40403;

    private final RestClient http;
    private final ObjectMapper mapper = new ObjectMapper();
    private final Map<Integer, Schema> schemas = new ConcurrentHashMap<>();
    private final Map<AvroSchema, Integer> ids = new ConcurrentHashMap<>();
    private final Set<Version> versions = ConcurrentHashMap.newKeySet();

    /** A schema on a subject, because the same text on two subjects has one id. */
    private record Version(int id, String subject) {}

    /**
     * @param url of the parent of {@code /subjects} and {@code /schemas}
     * @param username for basic authentication; null for none
     * @param bearerToken for bearer authentication; null for none
     * @param readTimeout for a complete answer
     */
    @ConfigurationProperties("event-broker.schema-registry")
    record Settings(
            String url,
            String username,
            String password,
            String bearerToken,
            @DefaultValue("2s") Duration connectTimeout,
            @DefaultValue("5s") Duration readTimeout) {}

    @Autowired
    SchemaRegistry(Settings settings, RestClient.Builder http) {
        this(client(settings, http));
    }

    /** @param http with the address and the credentials of the registry */
    protected SchemaRegistry(RestClient http) {
        this.http = http;
    }

    private static RestClient client(Settings settings, RestClient.Builder http) {
        JdkClientHttpRequestFactory requests = new JdkClientHttpRequestFactory(HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(settings.connectTimeout())
                .build());
        requests.setReadTimeout(settings.readTimeout());
        return http.requestFactory(requests)
                .baseUrl(settings.url())
                .defaultHeaders(headers -> authorize(headers, settings))
                .build();
    }

    private static void authorize(HttpHeaders headers, Settings settings) {
        headers.set(HttpHeaders.ACCEPT, JSON);
        if (settings.bearerToken() != null) {
            headers.setBearerAuth(settings.bearerToken());
        } else if (settings.username() != null) {
            headers.setBasicAuth(settings.username(), settings.password() == null ? "" : settings.password());
        }
    }

    /**
     * Returns the writer's schema of values with this id.
     *
     * @param subject on which the id has to be registered; a schema of another subject is not the schema of these
     *     values
     * @throws UnknownSchemaException when the registry does not know the id, or not on this subject
     * @throws MalformedAvroException when the schema is not Avro, or is unreadable
     * @throws RegistryUnavailableException when the registry does not answer
     */
    public Schema schema(int id, String subject) throws RegistryUnavailableException {
        Schema schema = schema(id);
        Version version = new Version(id, subject);
        if (!versions.contains(version)) {
            if (!isOn(id, subject)) {
                throw new UnknownSchemaException(id, subject);
            }
            versions.add(version);
        }
        return schema;
    }

    /** Returns true even for a deleted version: its values may still exist. */
    private boolean isOn(int id, String subject) throws RegistryUnavailableException {
        Answer answer = exchange(HttpMethod.GET, "/schemas/ids/{id}/versions?deleted=true", String.valueOf(id), null);
        if (answer.isUnknownSchema()) {
            return false;
        }
        return StreamSupport.stream(answer.requireList().spliterator(), false)
                .anyMatch(version -> version.path("subject").asText().equals(subject));
    }

    private Schema schema(int id) throws RegistryUnavailableException {
        Schema known = schemas.get(id);
        if (known != null) {
            return known;
        }
        Answer answer = exchange(HttpMethod.GET, "/schemas/ids/{id}", String.valueOf(id), null);
        if (answer.isUnknownSchema()) {
            throw new UnknownSchemaException(id);
        }
        String text = answer.require("schema").asText();
        String type = answer.body().path("schemaType").asText("AVRO");
        if (!type.equals("AVRO")) {
            throw new MalformedAvroException("schema id " + id + " is not an Avro schema");
        }
        Schema schema = parse(id, text);
        schemas.put(id, schema);
        return schema;
    }

    private static Schema parse(int id, String text) {
        try {
            // Avro resolves by types, so foreign names and defaults need not suit Java
            Schema schema = new Schema.Parser(NameValidator.NO_VALIDATION)
                    .setValidateDefaults(false)
                    .parse(text);
            if (SchemaSize.of(schema) > MAX_SIZE) {
                throw new MalformedAvroException(
                        "a value of schema id " + id + " would have more than " + MAX_SIZE + " fields");
            }
            return schema;
        } catch (AvroRuntimeException | StackOverflowError e) {
            throw new MalformedAvroException("schema id " + id + " is not a valid Avro schema, or refers to another");
        }
    }

    /** Returns the id of a schema on its subject; empty when it is not registered. */
    public Optional<Integer> id(AvroSchema schema) throws RegistryUnavailableException {
        Integer known = ids.get(schema);
        if (known != null) {
            return Optional.of(known);
        }
        Answer answer =
                exchange(HttpMethod.POST, "/subjects/{subject}", schema.subject(), text("schema", schema.text()));
        if (answer.isNotFound()) {
            return Optional.empty();
        }
        return Optional.of(remember(schema, answer.require("id").asInt()));
    }

    /**
     * Registers a schema on its subject, and sets the subject's own compatibility to BACKWARD, as kafkajs clients
     * require. Registering it again changes nothing.
     *
     * @throws SchemaProvisioningException when the registry refuses the schema
     */
    void register(AvroSchema schema) throws RegistryUnavailableException {
        // some registries set no level on a subject without versions
        boolean levelIsSet = setCompatibility(schema.subject());
        Answer answer = exchange(
                HttpMethod.POST, "/subjects/{subject}/versions", schema.subject(), text("schema", schema.text()));
        if (answer.status() == CONFLICT || answer.status() == UNPROCESSABLE) {
            // another instance may have registered the same schema at the same moment
            if (id(schema).isEmpty()) {
                throw new SchemaProvisioningException("the schema registry refuses schemas/" + schema.subject()
                        + ".avsc: it is not compatible with what is registered on subject " + schema.subject());
            }
        } else {
            remember(schema, answer.require("id").asInt());
        }
        if (!levelIsSet && !setCompatibility(schema.subject())) {
            throw new RegistryUnavailableException(
                    "subject " + schema.subject() + " does not exist after registration");
        }
    }

    /** Checks that the registry answers. */
    public void ping() throws RegistryUnavailableException {
        Answer answer = exchange(HttpMethod.GET, "/schemas/types", "", null);
        if (answer.status() != OK) {
            throw new RegistryUnavailableException("status " + answer.status());
        }
    }

    private boolean setCompatibility(String subject) throws RegistryUnavailableException {
        Answer answer = exchange(HttpMethod.PUT, "/config/{subject}", subject, text("compatibility", COMPATIBILITY));
        if (answer.isNotFound()) {
            return false;
        }
        answer.require("compatibility");
        return true;
    }

    private int remember(AvroSchema schema, int id) {
        schemas.put(id, new Schema.Parser().parse(schema.text()));
        ids.put(schema, id);
        versions.add(new Version(id, schema.subject()));
        return id;
    }

    private static JsonNode text(String name, String value) {
        return JsonNodeFactory.instance.objectNode().put(name, value);
    }

    private Answer exchange(HttpMethod method, String path, String variable, JsonNode body)
            throws RegistryUnavailableException {
        try {
            RestClient.RequestBodySpec request = http.method(method).uri(path, variable);
            if (body != null) {
                request.header(HttpHeaders.CONTENT_TYPE, JSON).body(mapper.writeValueAsBytes(body));
            }
            return request.exchange((sent, response) -> new Answer(
                    response.getStatusCode().value(), json(response.getBody().readNBytes(MAX_ANSWER))));
        } catch (ResourceAccessException | IOException e) {
            throw new RegistryUnavailableException("the schema registry does not answer", e);
        }
    }

    private JsonNode json(byte[] bytes) {
        try {
            return mapper.readTree(bytes);
        } catch (IOException e) {
            // an error page, or an incomplete answer
            return JsonNodeFactory.instance.missingNode();
        }
    }

    private record Answer(int status, JsonNode body) {

        int code() {
            return body.path("error_code").asInt();
        }

        boolean isUnknownSchema() {
            return isNotFound() && code() == SCHEMA_NOT_FOUND;
        }

        /** Returns whether the registry's own code is 404xx: 40401 for a subject, 40403 for a schema … */
        boolean isNotFound() {
            return status == NOT_FOUND && code() / 100 == NOT_FOUND;
        }

        JsonNode require(String field) throws RegistryUnavailableException {
            if (status != OK || !body.has(field)) {
                throw new RegistryUnavailableException("the schema registry answers with status " + status);
            }
            return body.path(field);
        }

        JsonNode requireList() throws RegistryUnavailableException {
            if (status != OK || !body.isArray()) {
                throw new RegistryUnavailableException("the schema registry answers with status " + status);
            }
            return body;
        }
    }
}
