package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import routes.RuntimeIT;
import routes.platform.Caller;

/**
 * Resolves intents in the whole runtime, against a real server, a scripted one and one that is down. Nobody notes the
 * outcome: as if the runtime had died between the call and its answer.
 */
@DirtiesContext
class FhirResolverIT extends RuntimeIT {

    private static final String SCRIPTED = "scripted";
    private static final String AWAY = "away";

    private static final Hapi HAPI = new Hapi();

    /** Answers of the scripted server by the beginning of the path; a number is a status. */
    private static final Map<String, String> ANSWERS = new ConcurrentHashMap<>();

    /** An answer that comes when {@link #hang} is complete. */
    private static final String HANG = "hang";

    private static volatile CompletableFuture<Void> hang = new CompletableFuture<>();

    private static final List<String> ASKED = java.util.Collections.synchronizedList(new java.util.ArrayList<>());
    private static final HttpServer SERVER = serve();

    private static final List<String> SLOW_TENANTS = List.of("slow-1", "slow-2", "slow-3", "slow-4", "slow-5");

    private final String name = UUID.randomUUID().toString();
    private final String id = "p-" + name;
    private final String requestId = Writes.newRequestId();

    @Autowired
    private FhirIntents intents;

    @DynamicPropertySource
    static void fhirServers(DynamicPropertyRegistry registry) {
        registry.add("event-broker.fhir.servers.default.url", HAPI::base);
        registry.add(
                "event-broker.fhir.servers." + SCRIPTED + ".url",
                () -> "http://127.0.0.1:" + SERVER.getAddress().getPort() + "/fhir");
        SLOW_TENANTS.forEach(tenant -> registry.add(
                "event-broker.fhir.servers." + tenant + ".url",
                () -> "http://127.0.0.1:" + SERVER.getAddress().getPort() + "/fhir"));
        registry.add("event-broker.fhir.servers." + AWAY + ".url", () -> "http://127.0.0.1:1/fhir");
        registry.add("event-broker.fhir.servers.other.url", () -> "http://127.0.0.1:1/fhir");
        registry.add("event-broker.fhir.max-own-answer", () -> "64KB");
    }

    private static HttpServer serve() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/fhir/", exchange -> {
                String path = exchange.getRequestURI().toString().substring("/fhir/".length());
                if (path.startsWith("metadata")) {
                    // for the probe, which would find the server down
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                    return;
                }
                ASKED.add(path);
                String answer = ANSWERS.entrySet().stream()
                        .filter(entry -> path.matches(entry.getKey()))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse("404");
                if (answer.equals(HANG)) {
                    hang.join();
                }
                int status = answer.matches("\\d+") ? Integer.parseInt(answer) : 200;
                byte[] body = (status == 200 ? answer : "{\"resourceType\":\"OperationOutcome\"}")
                        .getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/fhir+json");
                exchange.sendResponseHeaders(status, body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.setExecutor(Executors.newCachedThreadPool());
            server.start();
            return server;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterAll
    static void stop() {
        SERVER.stop(0);
    }

    @BeforeEach
    @AfterEach
    void forget() {
        jdbc.sql("truncate fhir_intent, fhir_outcome").update();
        ANSWERS.clear();
        hang.complete(null);
    }

    @Test
    void findsTheVersionsOfATransactionWhoseClientIsCutOff() throws Exception {
        HAPI.write(Writes.write("setup", "PUT", "Patient", "d-" + name), "Patient/d-" + name, patient("d-" + name));
        FhirRequest request = Writes.bundle(
                requestId,
                Writes.write("POST", "Observation", null),
                Writes.write("POST", "Observation", null),
                Writes.write("PUT", "Patient", id),
                Writes.write("PUT", "Patient", null),
                Writes.write("DELETE", "Patient", "d-" + name));
        store(request);

        cutOff(
                request,
                """
                {"resourceType": "Bundle", "type": "transaction", "entry": [
                  {"resource": %3$s, "request": {"method": "POST", "url": "Observation"}},
                  {"resource": %3$s, "request": {"method": "POST", "url": "Observation"}},
                  {"resource": %1$s, "request": {"method": "PUT", "url": "Patient/%2$s"}},
                  {"resource": {"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": "c-%4$s"}]},
                   "request": {"method": "PUT", "url": "Patient?identifier=urn:test|c-%4$s"}},
                  {"request": {"method": "DELETE", "url": "Patient/d-%4$s"}}]}"""
                        .formatted(patient(id), id, OBSERVATION, name));

        awaitState(requestId, "DONE");
        Set<FhirVersion> versions = outcomes(requestId);
        assertThat(versions)
                .hasSize(5)
                .contains(new FhirVersion("Patient", id, "1"), new FhirVersion("Patient", "d-" + name, "2"));
        assertThat(versions.stream().filter(version -> version.type().equals("Observation")))
                .hasSize(2);
        assertThat(HAPI.versionsOf(
                        requestId,
                        versions.stream()
                                .map(version -> version.type() + "/" + version.id())
                                .toArray(String[]::new)))
                .containsExactlyInAnyOrderElementsOf(versions.stream()
                        .filter(version -> !version.id().equals("d-" + name))
                        .toList());
    }

    @Test
    void findsAVersionThatManyOthersFollow() throws Exception {
        FhirRequest request = Writes.write(requestId, "PUT", "Patient", id);
        store(request);
        HAPI.write(request, "Patient/" + id, patient(id));
        for (int n = 0; n < 120; n++) {
            HAPI.write(Writes.write("later", "PUT", "Patient", id), "Patient/" + id, patient(id, n));
        }

        awaitState(requestId, "DONE");

        assertThat(outcomes(requestId)).containsExactly(new FhirVersion("Patient", id, "1"));
    }

    @Test
    void findsAVersionBeforeADeleteOfSomebodyElse() throws Exception {
        FhirRequest request = Writes.write(requestId, "PUT", "Patient", id);
        store(request);
        HAPI.write(request, "Patient/" + id, patient(id));
        HAPI.write(Writes.write("later", "DELETE", "Patient", id), "Patient/" + id, "");

        awaitState(requestId, "DONE");

        assertThat(outcomes(requestId)).containsExactly(new FhirVersion("Patient", id, "1"));
    }

    @Test
    void findsACreatedResourceThatSomebodyElseHasChanged() throws Exception {
        FhirRequest request = Writes.write(requestId, "POST", "Patient", null);
        store(request);
        FhirAnswer answer = HAPI.write(request, "Patient", patient(null));
        FhirVersion created =
                FhirVersion.at(answer.headers().get("content-location")).orElseThrow();
        HAPI.write(
                Writes.write("later", "PUT", "Patient", created.id()),
                "Patient/" + created.id(),
                patient(created.id(), 1));

        awaitState(requestId, "DONE");

        assertThat(outcomes(requestId)).containsExactly(created);
    }

    @Test
    void noAnswerLeavesItOpenUntilTheSearchEnds() {
        store(Writes.write(requestId, "PUT", "Patient", "unknown-" + name));
        due(requestId);
        await().until(() -> passes(requestId) == 1);
        assertThat(state(requestId)).isEqualTo("OPEN");

        expire(requestId);

        awaitState(requestId, "NO_EFFECT");
        assertThat(outcomes(requestId)).isEmpty();
    }

    @Test
    void attributesADeleteThatOnlyOneIntentCanHaveMade() throws Exception {
        HAPI.write(Writes.write("setup", "PUT", "Patient", id), "Patient/" + id, patient(id));
        FhirRequest request = Writes.write(requestId, "DELETE", "Patient", id);
        store(request);
        HAPI.write(request, "Patient/" + id, "");
        HAPI.write(Writes.write("later", "PUT", "Patient", id), "Patient/" + id, patient(id));

        awaitState(requestId, "DONE");

        assertThat(outcomes(requestId)).containsExactly(new FhirVersion("Patient", id, "2"));
    }

    @Test
    void leavesADeleteToTheIntentWhoseAnswerNamesIt() throws Exception {
        HAPI.write(Writes.write("setup", "PUT", "Patient", id), "Patient/" + id, patient(id));
        store(Writes.write(requestId, "DELETE", "Patient", id));
        FhirRequest repeat = Writes.write(Writes.newRequestId(), "DELETE", "Patient", id);
        store(repeat);
        intents.noteOutcome(Writes.exchange(repeat, HAPI.write(repeat, "Patient/" + id, "")));

        expire(requestId);

        awaitState(requestId, "NO_EFFECT");
        assertThat(outcomes(repeat.requestId())).containsExactly(new FhirVersion("Patient", id, "2"));
        assertThat(outcomes(requestId)).isEmpty();
    }

    @Test
    void attributesNoDeleteThatTwoIntentsMayHaveMade() throws Exception {
        HAPI.write(Writes.write("setup", "PUT", "Patient", id), "Patient/" + id, patient(id));
        FhirRequest request = Writes.write(requestId, "DELETE", "Patient", id);
        store(request);
        String rival = Writes.newRequestId();
        store(Writes.write(rival, "DELETE", "Patient", id));
        HAPI.write(request, "Patient/" + id, "");
        due(requestId);
        await().until(() -> passes(requestId) == 1);
        assertThat(state(requestId)).isEqualTo("OPEN");

        expire(requestId);
        awaitState(requestId, "UNRESOLVED");
        expire(rival);
        awaitState(rival, "UNRESOLVED");

        assertThat(outcomes(requestId)).isEmpty();
        assertThat(outcomes(rival)).isEmpty();
    }

    @Test
    void keepsIntentsOpenWhileTheirServerIsDown() {
        String away = Writes.newRequestId();
        store(request(AWAY, away));
        expire(away);
        store(Writes.write(requestId, "PUT", "Patient", "unknown-" + name));
        expire(requestId);

        awaitState(requestId, "NO_EFFECT");

        await().until(() -> jdbc.sql("select next_at > now() from fhir_intent where request_id = ?")
                .param(away)
                .query(Boolean.class)
                .single());
        assertThat(state(away)).isEqualTo("OPEN");
        assertThat(passes(away)).isZero();
        assertThat(attempts(away)).isZero();
    }

    @Test
    void aRefusedQuestionDelaysNoOtherIntent() {
        ANSWERS.put("Patient/refused-.*", "400");
        ANSWERS.put("Patient/known-.*", history("known-" + name, "3", "#" + requestId));
        String refused = Writes.newRequestId();
        store(Writes.request(scripted(), refused, false, List.of(Writes.write("PUT", "Patient", "refused-" + name))));
        expire(refused);
        store(Writes.request(scripted(), requestId, false, List.of(Writes.write("PUT", "Patient", "known-" + name))));

        awaitState(refused, "UNRESOLVED");
        awaitState(requestId, "DONE");

        assertThat(outcomes(requestId)).containsExactly(new FhirVersion("Patient", "known-" + name, "3"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"500", "403", "408", "504", "418", "<html>"})
    void aFailedQuestionDelaysNoOtherIntentAndEndsSometime(String answer) {
        ANSWERS.put("Patient/failing-.*", answer);
        ANSWERS.put("Patient/known-.*", history("known-" + name, "3", "#" + requestId));
        String failing = Writes.newRequestId();
        store(Writes.request(scripted(), failing, false, List.of(Writes.write("PUT", "Patient", "failing-" + name))));
        due(failing);
        await().until(() -> attempts(failing) + passes(failing) > 0 && !isLeased(failing));
        store(Writes.request(scripted(), requestId, false, List.of(Writes.write("PUT", "Patient", "known-" + name))));

        awaitState(requestId, "DONE");
        assertThat(state(failing)).isEqualTo("OPEN");

        expire(failing);
        jdbc.sql("update fhir_intent set attempts = 9 where request_id = ?")
                .param(failing)
                .update();
        awaitState(failing, "UNRESOLVED");
    }

    @Test
    void aSlowServerDelaysNoOtherTenant() throws Exception {
        hang = new CompletableFuture<>();
        ANSWERS.put("Patient/.*", HANG);
        String slow = Writes.newRequestId();
        store(request(SCRIPTED, slow));
        due(slow);
        await().until(() -> isLeased(slow));
        FhirRequest request = Writes.write(requestId, "PUT", "Patient", id);
        store(request);
        HAPI.write(request, "Patient/" + id, patient(id));

        awaitState(requestId, "DONE");
        assertThat(isLeased(slow)).isTrue();

        ANSWERS.put("Patient/.*", history(id, "3", "#" + slow));
        hang.complete(null);
        awaitState(slow, "DONE");
    }

    @Test
    void aLaneTooManyWaitsForAThreadOfItsOwn() throws Exception {
        hang = new CompletableFuture<>();
        ANSWERS.put("Patient/.*", HANG);
        List<String> slow =
                SLOW_TENANTS.stream().map(tenant -> Writes.newRequestId()).toList();
        for (int number = 0; number < slow.size(); number++) {
            store(request(SLOW_TENANTS.get(number), slow.get(number)));
            due(slow.get(number));
        }
        await().until(() -> slow.stream().filter(this::isLeased).count() == 4);
        await().during(Duration.ofSeconds(4))
                .until(() -> slow.stream().filter(this::isLeased).count() == 4);
        FhirRequest request = Writes.write(requestId, "PUT", "Patient", id);
        store(request);
        HAPI.write(request, "Patient/" + id, patient(id));
        hang.complete(null);

        awaitState(requestId, "DONE");
    }

    @Test
    void anIntentThatKillsItsProcessEndsUnresolved() {
        store(request(AWAY, requestId));
        // as if ten processes had died with the lease
        jdbc.sql("update fhir_intent set attempts = 10, leased_until = now()").update();
        expire(requestId);

        awaitState(requestId, "UNRESOLVED");
    }

    @Test
    void readsSmallerPagesWhenAnAnswerIsTooLarge() {
        String large =
                history(id, "3", "#x").replace("\"active\":true", "\"language\":\"" + "x".repeat(1 << 17) + "\"");
        ANSWERS.put("Patient/.*_count=100&.*", large);
        ANSWERS.put("Patient/.*_count=10&.*", large);
        ANSWERS.put("Patient/.*_count=1&_offset=0", history(id, "4", "#x"));
        ANSWERS.put("Patient/.*_count=1&_offset=1", history(id, "3", "#" + requestId));
        ANSWERS.put("Patient/.*_count=1&_offset=2", EMPTY);
        store(request(SCRIPTED, requestId));

        awaitState(requestId, "DONE");

        assertThat(outcomes(requestId)).containsExactly(new FhirVersion("Patient", id, "3"));
    }

    @Test
    void asksForALargeBundlePartByPart() {
        ANSWERS.put("Patient/.*", EMPTY);
        FhirInteraction[] entries = new FhirInteraction[60];
        for (int n = 0; n < entries.length; n++) {
            entries[n] = Writes.write("PUT", "Patient", "e" + n + "-" + name);
        }
        store(Writes.request(scripted(), requestId, true, List.of(entries)));
        expire(requestId);

        awaitState(requestId, "NO_EFFECT");

        assertThat(ASKED.stream().filter(path -> path.contains(name)).map(path -> path.split("\\?")[0]))
                .hasSize(60)
                .doesNotHaveDuplicates();
    }

    @Test
    void notesTheOutcomesOfWritesThroughTheFacade() {
        HttpResponse<String> created = fhir("PUT", "Patient/" + id, patient(id), TOKENS.sandbox());
        assertThat(created.statusCode()).isEqualTo(201);
        assertThat(fhir("PUT", "Patient/" + id, patient(id), TOKENS.sandbox()).statusCode())
                .isEqualTo(200);
        assertThat(fhir("DELETE", "Patient/" + id, "", TOKENS.sandbox()).statusCode())
                .isEqualTo(200);
        assertThat(fhir("DELETE", "Patient/" + id, "", TOKENS.sandbox()).statusCode())
                .isEqualTo(200);

        assertThat(jdbc.sql(
                                "select state || ' ' || http_status || ' ' || principal from fhir_intent order by created_at")
                        .query(String.class)
                        .list())
                .containsExactly("DONE 201 sandbox", "DONE 200 sandbox", "DONE 200 sandbox", "DONE 200 sandbox");
        assertThat(jdbc.sql(
                                """
                                select i.methods[1] || ' ' || o.version from fhir_outcome o
                                join fhir_intent i on i.request_id = o.request_id where o.confirmed order by o.version""")
                        .query(String.class)
                        .list())
                .containsExactly("PUT 1", "DELETE 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"single", "transaction", "batch"})
    void attributesAConditionalDelete(String form) {
        String identifier = "urn:test|" + name;
        assertThat(fhir("PUT", "Patient/" + id, identified(identifier), TOKENS.sandbox())
                        .statusCode())
                .isEqualTo(201);

        HttpResponse<String> deleted = form.equals("single")
                ? fhir("DELETE", "Patient?identifier=" + identifier.replace("|", "%7C"), "", TOKENS.sandbox())
                : fhir(
                        "POST",
                        "",
                        """
                        {"resourceType": "Bundle", "type": "%s", "entry": [
                          {"request": {"method": "DELETE", "url": "Patient?identifier=%s"}},
                          {"request": {"method": "GET", "url": "Patient?_id=none"}}]}"""
                                .formatted(form, identifier),
                        TOKENS.sandbox());

        assertThat(deleted.statusCode()).isEqualTo(200);
        await().untilAsserted(() -> assertThat(deletes()).containsExactly("DONE " + id + " 2"));
        assertThat(jdbc.sql("select array_to_string(ids, ',') from fhir_intent where methods = '{DELETE}'")
                        .query(String.class)
                        .list())
                .containsExactly(id);
    }

    @Test
    void notesNothingForAConditionalDeleteThatFindsNothing() {
        assertThat(fhir("DELETE", "Patient?identifier=urn:none%7C" + name, "", TOKENS.sandbox())
                        .statusCode())
                .isEqualTo(200);

        assertThat(jdbc.sql("select state from fhir_intent").query(String.class).list())
                .containsExactly("DONE");
        assertThat(deletes()).isEmpty();
    }

    @Test
    void sendsNoConditionalDeleteWhileTheServerIsDown() {
        assertThat(fhir("DELETE", "Patient?identifier=urn:none%7C" + name, "", TOKENS.of("other"))
                        .statusCode())
                .isEqualTo(503);

        assertThat(jdbc.sql("select count(*) from fhir_intent")
                        .query(Integer.class)
                        .single())
                .isZero();
    }

    private List<String> deletes() {
        return jdbc.sql(
                        """
                        select concat_ws(' ', i.state, o.id, o.version) from fhir_outcome o
                        join fhir_intent i on i.request_id = o.request_id where 'DELETE' = any(i.methods)""")
                .query(String.class)
                .list();
    }

    private String identified(String identifier) {
        return """
                {"resourceType": "Patient", "id": "%s", "identifier": [{"system": "%s", "value": "%s"}]}"""
                .formatted(id, identifier.split("\\|")[0], identifier.split("\\|")[1]);
    }

    @Test
    void closesTheIntentOfAWriteThatFoundNoServer() {
        assertThat(fhir("PUT", "Patient/" + id, patient(id), TOKENS.of("other")).statusCode())
                .isEqualTo(503);

        await().until(() -> jdbc.sql("select state || ' ' || tenant from fhir_intent")
                .query(String.class)
                .list()
                .equals(List.of("NO_EFFECT other")));
    }

    @Test
    void showsOpenIntentsAsMetrics() {
        store(request(AWAY, requestId));

        await().untilAsserted(() -> assertThat(management("/observe/metrics").body())
                .containsPattern("(?m)^event_broker_fhir_intents_open\\{.*} 1.0$")
                .containsPattern("(?m)^event_broker_fhir_intents_oldest_age_seconds\\{.*} 0?\\.?[0-9.]+$")
                .contains("event_broker_fhir_intents_resolved_total", "event_broker_fhir_request_ids_replaced_total"));
    }

    private static final String OBSERVATION =
            """
            {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"}}""";

    private static final String EMPTY = """
            {"resourceType": "Bundle", "type": "history"}""";

    private static String history(String id, String version, String source) {
        return """
                {"resourceType":"Bundle","type":"history","entry":[{"resource":{"resourceType":"Patient","id":"%s",\
                "meta":{"versionId":"%s","source":"%s"},"active":true},"request":{"method":"PUT","url":"Patient/%1$s"}}]}"""
                .formatted(id, version, source);
    }

    private void store(FhirRequest request) {
        intents.store(Writes.exchange(request, null));
    }

    private FhirRequest request(String tenant, String requestId) {
        return Writes.request(tenant, requestId, false, List.of(Writes.write("PUT", "Patient", id)));
    }

    private static Caller scripted() {
        return new Caller("sandbox", SCRIPTED, SCRIPTED, null, Set.of(), Set.of());
    }

    /** Sends the request, and closes the connection before the answer. */
    private static void cutOff(FhirRequest request, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        try (Socket socket = new Socket(HAPI.base().getHost(), HAPI.base().getPort())) {
            socket.getOutputStream()
                    .write(("POST /fhir HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
                                    + "X-Request-ID: " + request.requestId() + "\r\nContent-Length: " + bytes.length
                                    + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        }
    }

    /** Lets the next run of the resolver ask for the intent, as often as it takes. */
    private void awaitState(String requestId, String state) {
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            due(requestId);
            return state(requestId).equals(state);
        });
    }

    private void due(String requestId) {
        jdbc.sql("update fhir_intent set next_at = now() where request_id = ? and next_at > now() and state = 'OPEN'")
                .param(requestId)
                .update();
    }

    private void expire(String requestId) {
        jdbc.sql(
                        "update fhir_intent set created_at = now() - interval '61 minutes', next_at = now() where request_id = ?")
                .param(requestId)
                .update();
    }

    private String state(String requestId) {
        return jdbc.sql("select state from fhir_intent where request_id = ?")
                .param(requestId)
                .query(String.class)
                .single();
    }

    private int passes(String requestId) {
        return jdbc.sql("select passes from fhir_intent where request_id = ?")
                .param(requestId)
                .query(Integer.class)
                .single();
    }

    private int attempts(String requestId) {
        return jdbc.sql("select attempts from fhir_intent where request_id = ?")
                .param(requestId)
                .query(Integer.class)
                .single();
    }

    private boolean isLeased(String requestId) {
        return jdbc.sql("select coalesce(leased_until > now(), false) from fhir_intent where request_id = ?")
                .param(requestId)
                .query(Boolean.class)
                .single();
    }

    private Set<FhirVersion> outcomes(String requestId) {
        return jdbc
                .sql("select type, id, version from fhir_outcome where request_id = ? and confirmed")
                .param(requestId)
                .query(FhirVersion.class)
                .list()
                .stream()
                .collect(Collectors.toSet());
    }

    private HttpResponse<String> fhir(String method, String path, String body, String token) {
        return exchange(HttpRequest.newBuilder(uri("/fhir/" + path))
                .header("Authorization", token)
                .header("Content-Type", "application/fhir+json")
                .method(method, HttpRequest.BodyPublishers.ofString(body)));
    }

    private static String patient(String id) {
        return patient(id, 0);
    }

    private static String patient(String id, int number) {
        return """
                {"resourceType": "Patient"%s, "name": [{"text": "%d"}]}"""
                .formatted(id == null ? "" : ", \"id\": \"" + id + "\"", number);
    }
}
