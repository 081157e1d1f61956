package routes.fhir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import routes.RawHttp;
import routes.RuntimeIT;
import routes.SignedTokens;
import routes.platform.fhir.RawServer;

/** Records what a FHIR server gets of requests with headers and tenants that callers must not choose. */
@DirtiesContext
class FhirSmugglingIT extends RuntimeIT {

    /** The headers that the facade sends. Those of the transport belong to its HTTP client. */
    private static final Set<String> SENT = Set.of(
            "accept",
            "content-type",
            "if-match",
            "if-none-match",
            "if-modified-since",
            "if-none-exist",
            "cache-control",
            "prefer",
            "x-request-id",
            "accept-encoding",
            "content-length",
            "host",
            "connection",
            "user-agent");

    private static final RawServer OWN = newServer();
    private static final RawServer OTHER = newServer();
    private static final SignedTokens SIGNED = new SignedTokens(SERVERS);

    private final String id = "smuggle-" + UUID.randomUUID();

    private static RawServer newServer() {
        try {
            RawServer server = new RawServer();
            String patient =
                    """
                    {"resourceType": "Patient", "id": "1", "link": [{"other": {"reference": "%s"}}]}"""
                            .formatted(server.url("/fhir/Patient/2"));
            server.answer("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: "
                    + patient.getBytes(UTF_8).length + "\r\nConnection: close\r\n\r\n" + patient);
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @DynamicPropertySource
    static void recordingServers(DynamicPropertyRegistry registry) {
        registry.add("event-broker.fhir.servers.smuggler.url", () -> OWN.url("/fhir"));
        registry.add("event-broker.fhir.servers.smuggler.bearer-token", () -> "own-credentials");
        registry.add("event-broker.fhir.servers.victim.url", () -> OTHER.url("/fhir"));
    }

    @BeforeEach
    void forget() {
        OWN.heads().clear();
        OTHER.heads().clear();
    }

    /** The servers name no versions, so the runtime would ask them again and again. */
    @AfterEach
    void closeIntents() {
        jdbc.sql("update fhir_intent set state = 'NO_EFFECT', closed_at = now() where tenant = 'smuggler'")
                .update();
    }

    @ParameterizedTest
    @CsvSource({
        "X-Forwarded-Host, evil.example",
        "X-Forwarded-Proto, https",
        "X-Forwarded-Port, 444",
        "X-Forwarded-Prefix, /evil",
        "X-Forwarded-For, 10.0.0.1",
        "Forwarded, host=evil.example",
        "X-Transaction-Semantics, TransactionSemantics",
        "X-Upsert-Extistence-Check, disabled",
        "X-Rewrite-History, true",
        "Content-Location, Patient/evil",
        "X-HTTP-Method-Override, DELETE",
        "X-HTTP-Method, DELETE",
        "X-Method-Override, DELETE",
        "X-Original-URL, /fhir/Patient/evil",
        "X-Rewrite-URL, /fhir/Patient/evil",
        "X-Request-ID, evil000000000000",
        "X-Cascade, delete",
        "X-Progressive, evil",
        "Cookie, evil=1",
        "Proxy-Authorization, Basic evil",
        "X-Tenant, victim",
        "X-Tenant-Id, victim",
        "X-Partition-Ids, victim",
        "Accept-Encoding, gzip",
        "Range, bytes=0-1",
        "If-Unmodified-Since, evil",
        "Referer, https://evil.example",
        "traceparent, 00-evil",
        "CamelHttpUri, http://evil.example/"
    })
    void reachesNoServer(String header, String value) throws IOException {
        for (String line : List.of("GET /fhir/Patient/1", "PUT /fhir/Patient/1")) {
            send(line, header, value);
        }

        assertThat(passed(OWN)).hasSize(2).allSatisfy(head -> {
            assertThat(headers(head).keySet()).isSubsetOf(union(SENT, "authorization"));
            assertThat(head).doesNotContain("evil", "victim");
            assertThat(headers(head).getOrDefault("accept-encoding", "identity"))
                    .isEqualTo("identity");
            // the token stays here; the server gets the credentials of its configuration
            assertThat(headers(head)).containsEntry("authorization", "Bearer own-credentials");
            assertThat(headers(head).get("x-request-id")).matches("[A-Za-z0-9]{16}");
        });
        assertThat(passed(OWN).stream().map(head -> head.substring(0, head.indexOf(' '))))
                .containsExactly("GET", "PUT");
        assertThat(passed(OTHER)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-Proto", "Forwarded", "X-Original-URL"})
    void changesNoLinkOfTheAnswer(String header) throws IOException {
        RawHttp.Answer answer = send("GET /fhir/Patient/1", header, "evil.example");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body())
                .contains("http://localhost/fhir/Patient/2")
                .doesNotContain("evil", OWN.url("").getAuthority());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "respond-async | return=representation",
                "RESPOND-ASYNC, return=minimal | return=minimal",
                "return=minimal; respond-async | return=minimal",
                "handling=lenient, x-evil=1 | handling=lenient, return=representation",
                "return=Minimal | return=representation"
            })
    void losesUnknownPreferences(String sent, String received) throws IOException {
        send("PUT /fhir/Patient/1", "Prefer", sent);

        assertThat(passed(OWN)).hasSize(1).allSatisfy(head -> assertThat(headers(head))
                .containsEntry("prefer", received));
    }

    @Test
    void asksTheServerOfTheTokensTenantAlone() {
        for (String scope : List.of("system/*.cruds", "tenants.all")) {
            HttpResponse<String> answer =
                    exchange(HttpRequest.newBuilder(uri("/fhir/Patient/1?_elements=id&_format=json"))
                            .header("X-Tenant", "smuggler")
                            .header("Authorization", SIGNED.of(id, "victim", scope)));
            assertThat(answer.statusCode()).isEqualTo(scope.equals("tenants.all") ? 403 : 200);
        }
        // on this server, a tenant of the path or the query is a search or nothing
        HttpResponse<String> named = exchange(HttpRequest.newBuilder(uri("/fhir/Patient/1?tenant=smuggler"))
                .header("Authorization", SIGNED.of(id, "victim", "system/*.cruds", "tenants.all")));
        assertThat(named.statusCode()).isEqualTo(200);

        assertThat(passed(OWN)).isEmpty();
        assertThat(passed(OTHER)).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({
        "GET /fhir/Patient/1?_format=json, /fhir/Patient/1?_format=json",
        "GET /fhir/P%61tient/1, /fhir/Patient/1",
        "GET /fhir/Patient?name=a%26_id=1, /fhir/Patient?name=a%26_id=1",
        "GET /fhir/Patient?identifier=a|b, /fhir/Patient?identifier=a%7Cb",
        "GET /fhir/Patient/1/, /fhir/Patient/1"
    })
    void sendsOneSpellingOfATarget(String line, String received) throws IOException {
        send(line, "X-A", "1");

        assertThat(passed(OWN)).singleElement().satisfies(head -> assertThat(head)
                .startsWith("GET " + received + " HTTP/1.1\r\n"));
    }

    private RawHttp.Answer send(String line, String header, String value) throws IOException {
        byte[] body = line.startsWith("PUT")
                ? bytes("""
                {"resourceType": "Patient", "id": "1"}""")
                : new byte[0];
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.put("Host", "localhost");
        headers.put("Connection", "close");
        headers.put("Content-Type", "application/fhir+json");
        headers.put("Content-Length", String.valueOf(body.length));
        headers.put("Authorization", SIGNED.of(id, "smuggler", "system/*.cruds"));
        headers.put(header, value);
        String lines = headers.entrySet().stream()
                .map(one -> one.getKey() + ": " + one.getValue() + "\r\n")
                .collect(Collectors.joining());
        return RawHttp.send(uri("/").getPort(), RawHttp.request(line, lines, body));
    }

    /** The requests that the facade has passed, without those of the runtime itself. */
    private static List<String> passed(RawServer to) {
        return to.heads().stream()
                .filter(head -> head.contains("\r\nX-Request-ID: "))
                .toList();
    }

    private static Map<String, String> headers(String head) {
        return head.lines()
                .skip(1)
                .filter(line -> !line.isEmpty())
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT),
                        line -> line.substring(line.indexOf(':') + 1).strip()));
    }

    private static Set<String> union(Set<String> names, String name) {
        Set<String> all = new TreeSet<>(names);
        all.add(name);
        return all;
    }
}
