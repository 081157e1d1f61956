package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.ClassPathResource;
import routes.ForgedTokens;
import routes.RuntimeIT;

/**
 * Calls every operation of openapi.yaml without a token, with invalid ones, without its scope, and as another tenant. A
 * new operation is tested at once; if it needs a record of its own, the test names the place to add it.
 */
class AccessControlIT extends RuntimeIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String EVENTS = "/api/topics/" + CREATED + "/events";
    private static final String LETTERS = "/api/dead-letters";
    private static final String JSON = "application/json";

    /** Marks all records of this test, as record key, patient id and correlation id. */
    private static final String MARK = "access-" + UUID.randomUUID();

    /** Query parameters of lists that find the marked records. */
    private static final Set<String> FIND = Set.of("key", "patientId", "correlationId");

    /** Path parameters that name no record. */
    private static final Map<String, String> FIXED = Map.of("topic", CREATED, "name", "patient-view");

    /** Operations whose path names a record that they create for the caller. */
    private static final Set<String> CREATING =
            Set.of("appendPatientEvent", "updatePrescription", "cancelPrescription");

    /** A filter that matches no dead letter. */
    private static final String NO_DEAD_LETTERS = """
            {"key":"nobody"}""";

    private static final String REASON = """
            {"reason":"test"}""";

    /** Bodies for operations whose example does too much. */
    private static final Map<String, String> BODIES = Map.of("reprocessDeadLetters", NO_DEAD_LETTERS);

    /** The id of a record of the tenant {@code default}, by the path up to its parameter. */
    private static final Map<String, String> IDS = new LinkedHashMap<>();

    /** @param scopes of the operation */
    record Operation(String method, String path, JsonNode definition, List<String> scopes) {

        String path(Map<String, String> ids) {
            String path = this.path;
            for (String name : FIXED.keySet()) {
                path = path.replace("{" + name + "}", FIXED.get(name));
            }
            int parameter = path.indexOf('{');
            if (parameter < 0) {
                return path;
            }
            if (CREATING.contains(toString())) {
                return path.replaceAll("\\{\\w+}", MARK + "-own");
            }
            String prefix = path.substring(0, parameter);
            assertThat(ids)
                    .as("an id of an existing record for %s{…}: add one in AccessControlIT.records()", prefix)
                    .containsKey(prefix);
            return path.replaceAll("\\{\\w+}", ids.get(prefix));
        }

        boolean isOfOneRecord() {
            return !CREATING.contains(toString())
                    && definition.path("operationId").isTextual()
                    && Stream.of(path.split("/"))
                            .anyMatch(part -> part.startsWith("{") && !FIXED.containsKey(part.replaceAll("[{}]", "")));
        }

        boolean isList() {
            return !isOfOneRecord()
                    && definition
                            .at("/responses/200/content/application~1json/schema/type")
                            .asText()
                            .equals("array");
        }

        String body() {
            JsonNode content = definition.at("/requestBody/content/application~1json");
            if (content.isMissingNode()) {
                return "";
            }
            JsonNode example = content.path("example");
            return BODIES.getOrDefault(toString(), example.isMissingNode() ? REASON : example.toString());
        }

        @Override
        public String toString() {
            return definition.path("operationId").asText();
        }
    }

    static List<Operation> operations() throws IOException {
        JsonNode contract = new ObjectMapper(new YAMLFactory())
                .readTree(new ClassPathResource("contract/openapi.yaml").getInputStream());
        List<Operation> operations = new ArrayList<>();
        contract.path("paths").properties().forEach(path -> path.getValue()
                .properties()
                .forEach(method -> operations.add(new Operation(
                        method.getKey().toUpperCase(Locale.ROOT),
                        path.getKey(),
                        resolved(method.getValue(), contract),
                        StreamSupport.stream(
                                        method.getValue()
                                                .at("/security/0/oauth2")
                                                .spliterator(),
                                        false)
                                .map(JsonNode::asText)
                                .toList()))));
        return operations;
    }

    /** Returns the operation with its parameters resolved. */
    private static JsonNode resolved(JsonNode operation, JsonNode contract) {
        ObjectNode copy = operation.deepCopy();
        ArrayNode parameters = copy.putArray("parameters");
        operation.path("parameters").forEach(parameter -> {
            String ref = parameter.path("$ref").asText("");
            parameters.add(ref.isEmpty() ? parameter : contract.at(ref.substring(1)));
        });
        return copy;
    }

    static Stream<Arguments> forged() throws IOException {
        List<ForgedTokens.Forgery> forgeries = ForgedTokens.all();
        return operations().stream()
                .flatMap(operation -> forgeries.stream().map(forgery -> Arguments.of(operation, forgery)));
    }

    /** Creates one record of each kind for the tenant {@code default}. */
    @BeforeEach
    void records() {
        if (!IDS.isEmpty()) {
            return;
        }
        HttpResponse<String> published = post(EVENTS, JSON, prescription(MARK, MARK), "X-Correlation-Id", MARK);
        assertThat(published.statusCode()).isEqualTo(202);
        HttpResponse<String> appended = post(
                "/api/patients/" + MARK + "/events",
                JSON,
                """
                {"type":"patient.profile.created","data":{"lastName":"access"}}""");
        assertThat(appended.statusCode()).isEqualTo(202);
        HttpResponse<String> commanded = post(
                "/api/prescriptions",
                JSON,
                """
                {"patientId":"%s","medication":{"name":"access"}}""".formatted(MARK));
        assertThat(commanded.statusCode()).isEqualTo(202);
        send(CREATED, MARK, bytes("""
                {"no":"event"}"""), Map.of("tenant", "default"));
        String letter = awaitLetter(LETTERS + "?key=" + MARK, TOKENS.sandbox());
        String job = json(post(LETTERS + "/reprocess", JSON, NO_DEAD_LETTERS).body())
                .path("jobId")
                .asText();
        await().until(() ->
                json(get("/api/pharmacy-orders?patientId=" + MARK).body()).size() == 2);
        await().until(() ->
                json(get("/api/activity?correlationId=" + MARK).body()).size() == 1);
        await().until(() -> get("/api/patients/" + MARK).statusCode() == 200);
        String prescription = json(commanded.body()).path("prescriptionId").asText();
        await().until(() -> get("/api/prescriptions/" + prescription).statusCode() == 200);
        IDS.put("/api/patients/", MARK);
        IDS.put("/api/prescriptions/", prescription);
        IDS.put("/api/commands/", json(commanded.body()).path("commandId").asText());
        IDS.put("/api/dead-letters/", letter);
        IDS.put("/api/jobs/", job);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void requiresAToken(Operation operation) {
        HttpResponse<String> answer = call(operation, null, "");

        assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer");
        isProblem(answer, 401, "a bearer token is required");
    }

    @ParameterizedTest(name = "{0}: a token {1}")
    @MethodSource("forged")
    void rejectsAnInvalidToken(Operation operation, ForgedTokens.Forgery forgery) {
        HttpResponse<String> answer =
                call(operation, "Bearer " + forgery.token().apply(operation.scopes()), "");

        assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer error=\"invalid_token\"");
        isProblem(answer, 401, "the bearer token is not valid");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void rejectsATokenWithoutTheScope(Operation operation) throws IOException {
        Set<String> all = new TreeSet<>();
        new ObjectMapper(new YAMLFactory())
                .readTree(new ClassPathResource("contract/openapi.yaml").getInputStream())
                .at("/components/securitySchemes/oauth2/flows/clientCredentials/scopes")
                .fieldNames()
                .forEachRemaining(all::add);
        for (String scope : operation.scopes()) {
            List<String> others = all.stream().filter(s -> !s.equals(scope)).toList();

            HttpResponse<String> answer = call(operation, "Bearer " + ForgedTokens.valid(others), "");

            assertThat(answer.headers().firstValue("WWW-Authenticate"))
                    .contains("Bearer error=\"insufficient_scope\", scope=\"" + scope + "\"");
            isProblem(answer, 403, "the token has no scope " + scope);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void letsACallerWithItsScopeIn(Operation operation) {
        HttpResponse<String> answer =
                call(operation, "Bearer " + ForgedTokens.valid(operation.scopes()), find(operation));

        assertThat(answer.statusCode()).as(answer.body()).isNotIn(401, 403, 404).isLessThan(500);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).isEmpty();
        if (operation.isList()) {
            assertThat(json(answer.body())).as("marked records").isNotEmpty();
        }
    }

    static Stream<Operation> reads() throws IOException {
        return operations().stream().filter(operation -> operation.method().equals("GET"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("reads")
    void answersHeadAsGetWithoutTheBody(Operation operation) {
        String path = operation.path(IDS);
        HttpResponse<String> get = call("GET", path, TOKENS.sandbox(), "");

        HttpResponse<String> head = call("HEAD", path, TOKENS.sandbox(), "");

        assertThat(head.statusCode()).isEqualTo(get.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(headers(head)).isEqualTo(headers(get));
        assertThat(call("HEAD", path, null, "").statusCode()).isEqualTo(401);
    }

    /** The headers without those that differ for each answer, or frame its body. */
    private static Map<String, List<String>> headers(HttpResponse<String> answer) {
        Map<String, List<String>> headers = new TreeMap<>(answer.headers().map());
        headers.keySet()
                .removeAll(Set.of("date", "x-correlation-id", "transfer-encoding", "content-length", "connection"));
        return headers;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void allowsTheMethodsOfAPath(Operation operation) throws IOException {
        Set<String> methods = new TreeSet<>(Set.of("OPTIONS"));
        operations().stream()
                .filter(other -> other.path().equals(operation.path()))
                .forEach(other -> {
                    methods.add(other.method());
                    if (other.method().equals("GET")) {
                        methods.add("HEAD");
                    }
                });
        // a dead letter may have this name
        if (operation.toString().equals("reprocessDeadLetters")) {
            methods.addAll(Set.of("GET", "HEAD"));
        }

        for (String method : List.of("OPTIONS", "PATCH", "TRACE", "FOO")) {
            HttpResponse<String> answer = call(method, operation.path(IDS), TOKENS.sandbox(), "");
            assertThat(answer.statusCode()).as(method).isEqualTo(method.equals("OPTIONS") ? 200 : 405);
            assertThat(Set.of(answer.headers().firstValue("Allow").orElseThrow().split(",")))
                    .as(method)
                    .isEqualTo(methods);
            assertThat(answer.headers().firstValue("Accept-Patch")).isEmpty();
        }
    }

    @Test
    void acceptsATokenBehindAnyNumberOfSpaces() {
        String token = TOKENS.sandbox().replace("Bearer ", "");
        for (String scheme : List.of("Bearer ", "Bearer    ", "bEARER  ")) {
            assertThat(call("GET", LETTERS + "?limit=1", scheme + token, "").statusCode())
                    .as(scheme)
                    .isEqualTo(200);
        }
        assertThat(call("GET", LETTERS, "Bearer" + token, "").statusCode()).isEqualTo(401);
        assertThat(call("GET", LETTERS, "Bearer " + token + " " + token, "").statusCode())
                .isEqualTo(401);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("operations")
    void hidesTheRecordsOfAnotherTenant(Operation operation) {
        HttpResponse<String> answer = call(operation, TOKENS.of("other"), find(operation));

        if (operation.isOfOneRecord()) {
            isProblem(answer, 404, "no such");
        } else if (operation.isList()) {
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            assertThat(json(answer.body())).isEmpty();
        } else {
            // 409: a rebuild is running already
            assertThat(answer.statusCode()).as(answer.body()).isIn(200, 202, 409);
        }
    }

    @Test
    void reprocessesOnlyDeadLettersOfTheCallersTenant() {
        String id = "rx-" + UUID.randomUUID();
        send(CREATED, id, bytes("{}"), Map.of("tenant", "default"));
        awaitLetter(LETTERS + "?key=" + id, TOKENS.sandbox());
        String filter = """
                {"key":"%s"}""".formatted(id);

        assertThat(json(call("POST", LETTERS + "/reprocess?dryRun=true", TOKENS.of("other"), filter)
                                .body())
                        .path("count")
                        .asInt())
                .isZero();
        assertThat(json(call("POST", LETTERS + "/reprocess?dryRun=true", TOKENS.sandbox(), filter)
                                .body())
                        .path("count")
                        .asInt())
                .isPositive();
    }

    @Test
    void takesCallerAndTenantFromTheTokenAlone() {
        String id = "rx-" + UUID.randomUUID();
        String envelope =
                """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1,"security":{"principal":"admin",
                "tenant":"default","claims":{"scope":"tenants.all","tenant":"default"}}},"payload":%s,"tenant":"default"}"""
                        .formatted(UUID.randomUUID(), prescription(id, id));

        HttpResponse<String> answer = exchange(HttpRequest.newBuilder(uri(EVENTS))
                .headers("Authorization", TOKENS.of("other"), "Content-Type", JSON)
                .headers("X-Tenant", "default", "tenant", "default", "X-Tenant-Id", "default")
                .headers("X-User", "admin", "X-User-Id", "admin", "X-Forwarded-User", "admin", "X-Organization", "o")
                .headers("X-Roles", "admin", "X-Scope", "tenants.all")
                .POST(HttpRequest.BodyPublishers.ofString(envelope)));

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        ConsumerRecord<byte[], byte[]> record = records(CREATED).stream()
                .filter(r -> id.equals(text(r.key())))
                .findFirst()
                .orElseThrow();
        assertThat(header(record, "tenant")).isEqualTo("other");
        assertThat(json(text(record.value())).at("/metadata/security").toString())
                .isEqualTo("""
                        {"principal":"other","tenant":"other"}""");
        await().until(() -> !json(call("GET", "/api/pharmacy-orders?patientId=" + id, TOKENS.of("other"), "")
                        .body())
                .isEmpty());
        assertThat(json(get("/api/pharmacy-orders?patientId=" + id).body())).isEmpty();
    }

    @Test
    void keepsTheTenantOfAReprocessedRecord() {
        String id = "rx-" + UUID.randomUUID();
        String envelope =
                """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1,"security":{"principal":"other","tenant":"other"}},"payload":%s}"""
                        .formatted(UUID.randomUUID(), prescription(id, id));
        send(CREATED, id, bytes(envelope.replace("\"medication\"", "\"no\"")), Map.of("tenant", "other"));
        String letter = awaitLetter(LETTERS + "?key=" + id, TOKENS.of("other"));
        assertThat(get(LETTERS + "/" + letter).statusCode()).isEqualTo(404);
        assertThat(post(LETTERS + "/" + letter + "/reprocess", JSON, envelope).statusCode())
                .isEqualTo(404);

        HttpResponse<String> answer = call("POST", LETTERS + "/" + letter + "/reprocess", TOKENS.of("other"), envelope);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        await().until(() -> json(call("GET", "/api/pharmacy-orders?patientId=" + id, TOKENS.of("other"), "")
                                .body())
                        .size()
                == 1);
        assertThat(records(CREATED))
                .filteredOn(record -> id.equals(text(record.key())))
                .allSatisfy(record -> assertThat(header(record, "tenant")).isEqualTo("other"))
                .hasSize(2);
        assertThat(json(get("/api/pharmacy-orders?patientId=" + id).body())).isEmpty();
        assertThat(jdbc.sql("select distinct tenant from outbox where key = ?")
                        .param(bytes(id))
                        .query(String.class)
                        .list())
                .containsExactly("other");
        assertThat(json(call("GET", LETTERS + "/" + letter, TOKENS.of("other"), "")
                                .body())
                        .at("/reprocessings/0/by")
                        .asText())
                .isEqualTo("other");
    }

    @Test
    void letsAnOperatorWithTheScopeActForAnotherTenant() {
        String id = "rx-" + UUID.randomUUID();
        send(CREATED, id, bytes("{}"), Map.of("tenant", "other"));
        awaitLetter(LETTERS + "?key=" + id, TOKENS.of("other"));
        String query = LETTERS + "?tenant=other&limit=1&key=" + id;

        HttpResponse<String> refused = get(query);
        isProblem(refused, 403, "the token has no scope tenants.all");

        String operator = TOKENS.of("sandbox", "dead-letters.read", "tenants.all");
        assertThat(json(call("GET", query, operator, "").body())).hasSize(1);
        assertThat(json(call("GET", LETTERS + "?key=" + id, operator, "").body()))
                .as("without naming it, the operator's own tenant")
                .isEmpty();
        assertThat(TOKENS.sandbox()).satisfies(token -> assertThat(
                        get(LETTERS + "?tenant=default&limit=1").statusCode())
                .isEqualTo(200));
    }

    @Test
    void recordsTheHomeTenantOfAnOperatorOfAnotherTenant() {
        String operator = TOKENS.of("sandbox", "dead-letters.read", "dead-letters.operate", "tenants.all");
        String id = "rx-" + UUID.randomUUID();
        send(CREATED, id, bytes("{}"), Map.of("tenant", "other"));
        String letter = awaitLetter(LETTERS + "?key=" + id, TOKENS.of("other"));
        String path = LETTERS + "/" + letter;
        isProblem(
                call("POST", path + "/discard?tenant=other", TOKENS.sandbox(), REASON),
                403,
                "the token has no scope tenants.all");
        isProblem(call("POST", path + "/discard", operator, REASON), 404, "no such");
        long before = System.currentTimeMillis();

        HttpResponse<String> answer = call("POST", path + "/discard?tenant=other", operator, REASON);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        JsonNode discarded =
                json(call("GET", path, TOKENS.of("other"), "").body()).path("discarded");
        assertThat(discarded.path("by").asText()).isEqualTo("sandbox of tenant default");
        assertThat(discarded.path("reason").asText()).isEqualTo("test");
        assertThat(discarded.path("at").asLong()).isBetween(before, System.currentTimeMillis());
    }

    @Test
    void keepsTheNamedTenantInTheLinkToTheNextPage() {
        String operator = TOKENS.of("sandbox", "dead-letters.read", "tenants.all");
        String id = "rx-" + UUID.randomUUID();
        send(CREATED, id, bytes("{}"), Map.of("tenant", "other"));
        send(CREATED, id, bytes("{}"), Map.of("tenant", "other"));
        await().until(() ->
                json(call("GET", LETTERS + "?key=" + id, TOKENS.of("other"), "").body())
                                .size()
                        == 2);

        HttpResponse<String> page = call("GET", LETTERS + "?tenant=other&limit=1&key=" + id, operator, "");

        String next = next(page);
        assertThat(next).contains("tenant=other");
        assertThat(json(call("GET", next, operator, "").body())).hasSize(1);
    }

    @Test
    void givesEachTenantAndEachCallerItsOwnIdempotencyKeys() {
        String key = UUID.randomUUID().toString();
        List<String> events = Stream.of(
                        TOKENS.sandbox(), TOKENS.of("other"), "Bearer " + ForgedTokens.valid(List.of("events.write")))
                .map(token -> exchange(HttpRequest.newBuilder(uri(EVENTS))
                        .headers("Authorization", token, "Content-Type", JSON, "Idempotency-Key", key)
                        .POST(HttpRequest.BodyPublishers.ofString(prescription(key, key)))))
                .map(answer -> {
                    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
                    return json(answer.body()).path("eventId").asText();
                })
                .toList();

        assertThat(events).doesNotHaveDuplicates().hasSize(3);
    }

    @Test
    void requiresATokenForOtherMethods() {
        for (String method : List.of("HEAD", "OPTIONS", "DELETE", "PATCH")) {
            assertThat(call(method, EVENTS, null, "").statusCode()).as(method).isEqualTo(401);
            assertThat(call(method, EVENTS, TOKENS.sandbox(), "").statusCode())
                    .as(method)
                    .isIn(200, 204, 404, 405);
        }
    }

    @Test
    void letsTheReaderReadAndNothingElse() {
        String reader = TOKENS.of("reader");

        assertThat(call("GET", "/api/activity?limit=1", reader, "").statusCode())
                .isEqualTo(200);
        isProblem(call("POST", EVENTS, reader, prescription("x", "y")), 403, "the token has no scope events.write");
    }

    @Test
    void opensOnlyTheDocumentationToEverybody() {
        for (String path : List.of("/docs/index.html", "/contract/openapi.yaml", "/schemas/metadata.json")) {
            assertThat(call("GET", path, null, "").statusCode()).as(path).isEqualTo(200);
        }
        for (String path : List.of("/docs", "/")) {
            assertThat(call("GET", path, null, "").statusCode()).as(path).isEqualTo(302);
        }
        assertThat(call("GET", "/contract/openapi.yaml", null, "").body())
                .as("with the issuer of the sandbox and a relative URL")
                .contains(
                        "`reader` (`reader-secret`)",
                        "tokenUrl: " + SERVERS.tokenIssuer().address(),
                        "  - url: ..");
        for (String path : List.of("/api/none", "/observe/health", "/error", "/webjars/other")) {
            isProblem(call("GET", path, null, ""), 401, "a bearer token is required");
        }
        HttpResponse<String> facade = call("GET", "/fhir/Patient/1", null, "");
        assertThat(facade.statusCode()).isEqualTo(401);
        assertThat(json(facade.body()).at("/issue/0/diagnostics").asText()).isEqualTo("a bearer token is required");
        isProblem(call("POST", "/docs/index.html", null, "{}"), 401, "a bearer token is required");
        isProblem(get("/api/none"), 404, "no such resource");
        assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
    }

    @Test
    void readsNoBodyOfAForbiddenCaller() throws IOException {
        try (Socket socket = new Socket("127.0.0.1", uri("/").getPort())) {
            socket.setSoTimeout(5000);
            socket.getOutputStream()
                    .write(bytes("POST " + EVENTS + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Content-Length: 500\r\n\r\n"));

            byte[] status = socket.getInputStream().readNBytes(12);

            assertThat(text(status)).isEqualTo("HTTP/1.1 401");
        }
    }

    /** Checks the parts that all problems share. */
    private static void isProblem(HttpResponse<String> answer, int status, String error) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        JsonNode problem = json(answer.body());
        assertThat(problem.path("error").asText()).startsWith(error).doesNotContain("\n", "Exception");
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(answer.headers().firstValue("X-Correlation-Id"))
                .contains(problem.path("correlationId").asText());
    }

    private HttpResponse<String> call(Operation operation, String authorization, String query) {
        return call(operation.method(), operation.path(IDS) + query, authorization, operation.body());
    }

    private HttpResponse<String> call(String method, String path, String authorization, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        if (!body.isEmpty()) {
            request.header("Content-Type", JSON);
        }
        return exchange(request.method(
                method,
                body.isEmpty() ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body)));
    }

    /** The query with which a list finds the marked record. */
    private static String find(Operation operation) {
        if (!operation.isList()) {
            return "";
        }
        String parameter = StreamSupport.stream(
                        operation.definition().path("parameters").spliterator(), false)
                .filter(p -> p.path("in").asText().equals("query"))
                .map(p -> p.path("name").asText())
                .filter(FIND::contains)
                .findFirst()
                .orElseThrow(() -> new AssertionError(operation + " is a list without one of the query parameters "
                        + FIND + ": say in AccessControlIT how its records are found"));
        return "?" + parameter + "=" + MARK;
    }

    private String awaitLetter(String path, String authorization) {
        await().until(() -> json(call("GET", path, authorization, "").body()).size() == 1);
        return json(call("GET", path, authorization, "").body()).at("/0/id").asText();
    }

    private static String prescription(String id, String patient) {
        return """
                {"id":"%s","patientId":"%s","medication":{"name":"Amoxicillin"}}"""
                .formatted(id, patient);
    }
}
