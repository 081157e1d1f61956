package routes.platform.avro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.web.client.RestClient;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import routes.platform.error.MalformedAvroException;
import routes.platform.error.UnknownSchemaException;
import sandbox.Servers;

/** The client of the schema registry, and the registration of schemas at the start. */
class SchemaRegistryIT {

    private static final String NULL_TYPE = """
            {"type":"null"}""";

    private static final String NULL_SCHEMA = """
            {"schema":"\\"null\\""}
            """;

    private static final String URL = Servers.shared().schemaRegistry().address();

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final AvroSchema patientEvents =
            contract.channel("patient.events").orElseThrow().avro();

    /** Our schema on a subject of this test. */
    private final AvroSchema schema =
            new AvroSchema("it-" + UUID.randomUUID(), patientEvents.text(), patientEvents.type());

    private final SchemaRegistry registry = registry(URL);

    @Test
    void registersTheTextOfTheFileWithExplicitCompatibility() throws Exception {
        registry.register(schema);
        registry.register(schema);

        assertThat(get("/subjects/" + schema.subject() + "/versions")).isEqualTo("[1]");
        assertThat(get("/config/" + schema.subject())).contains("BACKWARD");
        int id = registry(URL).id(schema).orElseThrow();
        assertThat(registry.id(schema)).contains(id);
        assertThat(registry(URL).schema(id, schema.subject())).isEqualTo(registry.schema(id, schema.subject()));
        assertThat(registry.schema(id, schema.subject()).getFullName()).isEqualTo("eventbroker.patient.PatientEvent");
    }

    @Test
    void registersOneIdWhenInstancesStartAtOnce() throws Exception {
        ExecutorService instances = Executors.newFixedThreadPool(5);
        try {
            for (Future<Integer> id : instances.invokeAll(IntStream.range(0, 5)
                    .<Callable<Integer>>mapToObj(i -> () -> {
                        SchemaRegistry own = registry(URL);
                        provisioner(own, SchemaProvisioner.Provision.CREATE).provision(schema);
                        return own.id(schema).orElseThrow();
                    })
                    .toList())) {
                assertThat(id.get()).isEqualTo(registry.id(schema).orElseThrow());
            }
        } finally {
            instances.shutdown();
        }
        assertThat(get("/config/" + schema.subject())).contains("BACKWARD");
    }

    @Test
    void keepsItsIdWhenAClientHasRegisteredANewerVersion() throws Exception {
        registry.register(schema);
        int id = registry.id(schema).orElseThrow();
        AvroSchema newer = new AvroSchema(
                schema.subject(),
                schema.text()
                        .replace(
                                """
                                { "name": "firstName",""",
                                """
                                { "name": "pronouns", "type": ["null", "string"], "default": null },
                                { "name": "firstName","""),
                schema.type());
        registry(URL).register(newer);

        SchemaRegistry restarted = registry(URL);
        restarted.register(schema);

        assertThat(restarted.id(schema)).contains(id);
        assertThat(get("/subjects/" + schema.subject() + "/versions")).isEqualTo("[1,2]");
    }

    @Test
    void refusesToStartWithAnIncompatibleSchema() throws Exception {
        registry.register(schema);
        AvroSchema incompatible = new AvroSchema(
                schema.subject(),
                schema.text()
                        .replace(
                                """
                                "type": ["null", "string"], "default": null, "doc": "BCP 47." }""",
                                """
                                "type": "string" }"""),
                schema.type());

        assertThatThrownBy(() -> registry(URL).register(incompatible))
                .isInstanceOf(SchemaProvisioningException.class)
                .hasMessageContaining("not compatible with what is registered on subject " + schema.subject());
    }

    @Test
    void namesAMissingSubjectWhenItRegistersNone() {
        SchemaProvisioner verifying = provisioner(registry, SchemaProvisioner.Provision.VERIFY);

        assertThatThrownBy(() -> verifying.provision(schema))
                .isInstanceOf(SchemaProvisioningException.class)
                .hasMessage("the schema of subject " + schema.subject()
                        + " is not registered (event-broker.schemas.provision=verify does not register it)");
    }

    @Test
    void namesTheRegistryThatDoesNotAnswer() {
        SchemaProvisioner alone = provisioner(registry("http://127.0.0.1:1"), SchemaProvisioner.Provision.CREATE);

        assertThatThrownBy(alone::afterSingletonsInstantiated)
                .isInstanceOf(SchemaProvisioningException.class)
                .hasMessageContaining("does not answer")
                .hasMessageContaining("event-broker.schema-registry.url");
    }

    @Test
    void waitsForARegistryThatIsStarting() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        HttpServer server = answering(exchange -> requests.incrementAndGet() < 3
                ? new Reply(503, "")
                : new Reply(200, """
                        {"compatibility":"BACKWARD","id":7}"""));
        try {
            SchemaRegistry starting =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());

            new SchemaProvisioner(
                            contract,
                            starting,
                            new SchemaProvisioner.Settings(SchemaProvisioner.Provision.CREATE, Duration.ofSeconds(30)))
                    .afterSingletonsInstantiated();

            assertThat(starting.id(patientEvents)).contains(7);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void treatsAnIdAsUnknownOnlyByTheRegistrysCode() {
        assertThatThrownBy(() -> registry.schema(2_000_000_000, schema.subject()))
                .isInstanceOf(UnknownSchemaException.class);
        assertThatThrownBy(() -> registry.schema(-1, schema.subject())).isInstanceOf(UnknownSchemaException.class);
    }

    @Test
    void acceptsASchemaOnlyOnItsSubjects() throws Exception {
        AvroSchema twin = new AvroSchema("it-" + UUID.randomUUID(), schema.text(), schema.type());
        registry.register(schema);
        int id = registry.id(schema).orElseThrow();

        assertThatThrownBy(() -> registry(URL).schema(id, twin.subject()))
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("schema id " + id + " is not registered on subject " + twin.subject());

        // one text has one id on both subjects, and the registry client keeps no unknown id
        registry(URL).register(twin);
        assertThat(registry(URL).id(twin)).contains(id);
        for (SchemaRegistry any : List.of(registry, registry(URL))) {
            assertThat(any.schema(id, twin.subject())).isEqualTo(any.schema(id, schema.subject()));
        }
    }

    @Test
    void readsValuesOfADeletedVersion() throws Exception {
        registry.register(schema);
        int id = registry.id(schema).orElseThrow();
        HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(URL + "/subjects/" + schema.subject()))
                                .DELETE()
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
        assertThat(get("/schemas/ids/" + id + "/versions")).doesNotContain(schema.subject());

        assertThat(registry(URL).schema(id, schema.subject()).getFullName())
                .isEqualTo("eventbroker.patient.PatientEvent");
    }

    @Test
    void requestsAnIdAndItsSubjectOnce() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        HttpServer server = answering(exchange -> {
            requests.incrementAndGet();
            return exchange.getRequestURI().getPath().endsWith("/versions")
                    ? new Reply(
                            200,
                            """
                            [{"subject":"a","version":1},{"subject":"b","version":1}]""")
                    : new Reply(200, NULL_SCHEMA);
        });
        try {
            SchemaRegistry other =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());
            for (int i = 0; i < 3; i++) {
                other.schema(1, "a");
            }
            assertThat(requests).hasValue(2);
            assertThatThrownBy(() -> other.schema(1, "c")).isInstanceOf(UnknownSchemaException.class);
        } finally {
            server.stop(0);
        }
    }

    /** The registry returns the schema, but not its subjects. */
    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    404, ''
                    404, '{"error_code":404}'
                    500, ''
                    200, '{}'
                    200, '[{'
                    503, '[]'
                    """)
    void waitsForTheSubjectsOfAnId(int status, String body) throws Exception {
        HttpServer server =
                answering(exchange -> exchange.getRequestURI().getPath().endsWith("/versions")
                        ? new Reply(status, body)
                        : new Reply(200, NULL_SCHEMA));
        try {
            SchemaRegistry other =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());

            assertThatThrownBy(() -> other.schema(1, "a")).isInstanceOf(RegistryUnavailableException.class);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void refusesASchemaThatIsTwiceAsLongAtEveryLevel() throws Exception {
        String level = """
                { "type": "null" }
                """;
        for (int i = 0; i < 40; i++) {
            level =
                    """
                    { "type": "record", "name": "L%d", "fields": [
                      { "name": "a", "type": %s },
                      { "name": "b", "type": "%s" }] }
                    """
                            .formatted(i, level, i == 0 ? "null" : "L" + (i - 1));
        }
        String hostile = new ObjectMapper().writeValueAsString(Map.of("schema", level));
        HttpServer server = answering(200, hostile);
        try {
            SchemaRegistry other =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());

            assertThatThrownBy(() -> other.schema(1, "a"))
                    .isInstanceOf(MalformedAvroException.class)
                    .hasMessage("a value of schema id 1 would have more than 10000 fields");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void refusesASchemaThatIsNestedTooDeeply() throws Exception {
        String list = """
                {"type":"array","items":""";
        String deep = list.repeat(20_000) + NULL_TYPE + "}".repeat(20_000);
        HttpServer server = answering(200, new ObjectMapper().writeValueAsString(Map.of("schema", deep)));
        try {
            SchemaRegistry other =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());

            assertThatThrownBy(() -> other.schema(1, "a")).isInstanceOf(MalformedAvroException.class);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void answersThePing() throws Exception {
        registry.ping();
    }

    /** A proxy, or any other server, knows nothing about an id. */
    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    404, ''
                    404, '<html>not found</html>'
                    404, '{"error_code":404,"message":"HTTP 404 Not Found"}'
                    401, '{"error_code":40101}'
                    403, '{"error_code":40403}'
                    429, ''
                    500, '{"error_code":50001}'
                    503, ''
                    200, '{"sche'
                    200, '[]'
                    302, ''
                    """)
    void waitsAfterAnyOtherAnswer(int status, String body) throws Exception {
        HttpServer server = answering(status, body);
        try {
            SchemaRegistry other =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());

            assertThatThrownBy(() -> other.schema(1, schema.subject()))
                    .isInstanceOf(RegistryUnavailableException.class);
            assertThatThrownBy(() -> other.id(schema))
                    .satisfies(e -> assertThat(e).isInstanceOf(RegistryUnavailableException.class));
        } finally {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    '{"schemaType":"JSON","schema":"{}"}', schema id 1 is not an Avro schema
                    '{"schema":"{\\"type\\":\\"record\\"}"}', 'schema id 1 is not a valid Avro schema, or refers to another'
                    """)
    void describesASchemaThatIsNotAvro(String body, String error) throws Exception {
        HttpServer server = answering(200, body);
        try {
            SchemaRegistry other =
                    registry("http://127.0.0.1:" + server.getAddress().getPort());

            assertThatThrownBy(() -> other.schema(1, schema.subject()))
                    .isInstanceOf(MalformedAvroException.class)
                    .hasMessage(error);
        } finally {
            server.stop(0);
        }
    }

    private SchemaProvisioner provisioner(SchemaRegistry of, SchemaProvisioner.Provision provision) {
        return new SchemaProvisioner(contract, of, new SchemaProvisioner.Settings(provision, Duration.ofSeconds(1)));
    }

    private static SchemaRegistry registry(String url) {
        return new SchemaRegistry(
                new SchemaRegistry.Settings(
                        url, "user", "password", null, Duration.ofSeconds(2), Duration.ofSeconds(5)),
                RestClient.builder());
    }

    private record Reply(int status, String body) {}

    private static HttpServer answering(int status, String body) throws IOException {
        return answering(exchange -> new Reply(status, body));
    }

    private static HttpServer answering(Function<HttpExchange, Reply> replies) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            Reply reply = replies.apply(exchange);
            byte[] bytes = reply.body().getBytes(StandardCharsets.UTF_8);
            boolean authorized = List.of("Basic dXNlcjpwYXNzd29yZA==")
                    .equals(exchange.getRequestHeaders().get("Authorization"));
            exchange.sendResponseHeaders(authorized ? reply.status() : 418, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        return server;
    }

    private static String get(String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(URL + path)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
