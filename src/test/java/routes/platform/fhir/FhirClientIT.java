package routes.platform.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ca.uhn.fhir.rest.api.MethodOutcome;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.builder.ExchangeBuilder;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Patient;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import routes.RuntimeIT;
import routes.platform.fhir.FhirFailure.Kind;

/** Calls the real FHIR server from the whole runtime: {@code fhir/calls.camel.yaml}. */
@Timeout(120)
@DirtiesContext
class FhirClientIT extends RuntimeIT {

    private static final String AWAY = "away";

    private final String id = "p-" + UUID.randomUUID();
    private final String identifier = UUID.randomUUID().toString();

    @Autowired
    private CamelContext camel;

    @DynamicPropertySource
    static void fhirServers(DynamicPropertyRegistry registry) {
        registry.add("event-broker.fhir.servers.default.url", () -> SERVERS.fhirServer()
                .address());
        registry.add("event-broker.fhir.servers." + AWAY + ".url", () -> "http://127.0.0.1:1/fhir");
        registry.add("event-broker.fhir.response-timeout", () -> "5s");
    }

    /** Starts outside the time limit of a test. */
    @BeforeAll
    static void startServer() {
        SERVERS.fhirServer();
    }

    @BeforeEach
    void loadRoutes() throws Exception {
        if (camel.getRoute("fhir-put") == null) {
            PluginHelper.getRoutesLoader(camel)
                    .loadRoutes(ResourceHelper.resolveResource(camel, "classpath:fhir/calls.camel.yaml"));
        }
    }

    private Exchange call(String route, Object body, Map<String, Object> arguments) {
        return call("default", route, body, arguments);
    }

    private Exchange call(String tenant, String route, Object body, Map<String, Object> arguments) {
        ExchangeBuilder exchange =
                ExchangeBuilder.anExchange(camel).withBody(body).withProperty("tenant", tenant);
        arguments.forEach(exchange::withHeader);
        return camel.createProducerTemplate().send("direct:" + route, exchange.build());
    }

    private <T> T answer(Class<T> type, String route, Object body, Map<String, Object> arguments) {
        Exchange exchange = call(route, body, arguments);
        assertThat(exchange.getException()).isNull();
        return type.cast(exchange.getMessage().getBody());
    }

    private FhirFailure failure(Exchange exchange) {
        assertThat(exchange.getException()).isInstanceOf(FhirFailure.class);
        return (FhirFailure) exchange.getException();
    }

    private String patient(boolean active) {
        return """
                {"resourceType": "Patient", "id": "%s", "active": %s, "name": [{"family": "Müller-Østergård 李"}],
                 "identifier": [{"system": "urn:test", "value": "%s"}]}"""
                .formatted(id, active, identifier);
    }

    private MethodOutcome put(boolean active) {
        return answer(MethodOutcome.class, "put", patient(active), Map.of("CamelFhir.stringId", id));
    }

    @Test
    void storesUnderADerivedIdAndRepeatsWithoutAVersion() {
        assertThat(put(true).getCreated()).isTrue();
        assertThat(put(true).getId().getVersionIdPart()).isEqualTo("1");
        assertThat(put(false).getId().getVersionIdPart()).isEqualTo("2");

        Bundle history = answer(Bundle.class, "history", "Patient/" + id, Map.of());
        Patient first = answer(Patient.class, "read-version", "Patient/%s/_history/1".formatted(id), Map.of());

        assertThat(history.getEntry()).hasSize(2);
        assertThat(first.getActive()).isTrue();
        assertThat(first.getNameFirstRep().getFamily()).isEqualTo("Müller-Østergård 李");
    }

    @Test
    void createsOnceForACondition() {
        Map<String, Object> condition = Map.of("CamelFhir.url", "Patient?identifier=urn:test|" + identifier);

        MethodOutcome first = answer(MethodOutcome.class, "create-if-absent", patient(true), condition);
        MethodOutcome second = answer(MethodOutcome.class, "create-if-absent", patient(true), condition);

        assertThat(first.getCreated()).isTrue();
        assertThat(second.getId().getIdPart()).isEqualTo(first.getId().getIdPart());
        assertThat(second.getId().getVersionIdPart()).isEqualTo("1");
    }

    @Test
    void findsAResourceThatWasCreatedAfterTheSameSearch() {
        String search = "Patient?identifier=urn:test|" + identifier;
        assertThat(answer(Bundle.class, "search", search, Map.of()).getEntry()).isEmpty();

        put(true);

        Bundle found = answer(Bundle.class, "search", search, Map.of());
        assertThat(found.getEntry()).hasSize(1);
        String source =
                ((Patient) found.getEntryFirstRep().getResource()).getMeta().getSource();
        assertThat(source).startsWith("#");
        assertThat(answer(Bundle.class, "search", "Patient?_source=%23" + source.substring(1), Map.of())
                        .getEntry())
                .hasSize(1);
    }

    @Test
    void appliesATransaction() {
        String bundle =
                """
                {"resourceType": "Bundle", "type": "transaction", "entry": [
                  {"resource": %s, "request": {"method": "PUT", "url": "Patient/%s"}}]}"""
                        .formatted(patient(true), id);

        String outcome = answer(String.class, "transaction", bundle, Map.of());

        assertThat(outcome).contains("Patient/%s/_history/1".formatted(id));
    }

    @Test
    void tellsGoneFromRefusedAndConflict() {
        put(true);
        Patient old = answer(Patient.class, "read-version", "Patient/%s/_history/1".formatted(id), Map.of());
        put(false);

        assertThat(failure(call("put-resource", old.setActive(true), Map.of())).kind())
                .isEqualTo(Kind.CONFLICT);
        call("delete", "Patient/" + id, Map.of());
        assertThat(failure(call("read-version", "Patient/" + id, Map.of())).status())
                .isEqualTo(410);
        assertThat(failure(call("read-version", "Patient/" + id, Map.of())).kind())
                .isEqualTo(Kind.GONE);
        assertThat(failure(call("history", "Patient/never-" + id, Map.of())).kind())
                .isEqualTo(Kind.GONE);
        assertThat(failure(call("search", "Patient?unknown=a", Map.of())).kind())
                .isEqualTo(Kind.REFUSED);
        assertThat(failure(call("search", "Nothing?_id=a", Map.of())).kind()).isEqualTo(Kind.REFUSED);
        assertThat(failure(call(
                                "put",
                                "{\"resourceType\": \"Patient\", \"id\": \"1\"}",
                                Map.of("CamelFhir.stringId", "1")))
                        .kind())
                .isEqualTo(Kind.REFUSED);
    }

    @Test
    void doesNotKnowTheOutcomeAtAServerThatIsSilent() throws Exception {
        put(true);

        SERVERS.fhirServer().suspend();
        try {
            FhirFailure failure = failure(call("put", patient(false), Map.of("CamelFhir.stringId", id)));

            assertThat(failure.kind()).isEqualTo(Kind.DOWN);
            assertThat(failure.isOutcomeUnknown()).isTrue();
        } finally {
            SERVERS.fhirServer().resume();
        }

        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(
                        () -> assertThat(put(false).getId().getVersionIdPart()).isEqualTo("2"));
    }

    @Test
    void showsEachServerInHealthAndMetrics() {
        assertThat(failure(call(AWAY, "put", patient(true), Map.of("CamelFhir.stringId", id)))
                        .isOutcomeUnknown())
                .isFalse();
        put(true);

        assertThat(management("/observe/health").body())
                .contains("\"fhir\":{\"status\":\"DOWN\"")
                .containsPattern(
                        "\"away\":\\{\"status\":\"DOWN\",\"since\":\"[^\"]+\",\"reason\":\"HttpHostConnectException\"}")
                .containsPattern("\"default\":\\{\"status\":\"UP\",\"since\":\"[^\"]+\"}")
                .doesNotContain("127.0.0.1:1", SERVERS.fhirServer().address());
        assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
        assertThat(management("/observe/health/ready").body()).doesNotContain("fhir");
        assertThat(management("/observe/metrics").body().lines())
                .anyMatch(line -> line.matches("event_broker_fhir_server_up\\{.*tenant=\"default\".*} 1.0"))
                .anyMatch(line -> line.matches("event_broker_fhir_server_up\\{.*tenant=\"away\".*} 0.0"))
                .anyMatch(line ->
                        line.matches("event_broker_fhir_calls_seconds_count\\{.*result=\"down\".*tenant=\"away\".*"));
    }

    @Test
    void replacesTheStockComponent() {
        assertThat(camel.getComponent("fhir")).isInstanceOf(TenantFhirComponent.class);
        assertThat(camel.getEndpoints().stream()
                        .filter(endpoint -> endpoint.getEndpointUri().startsWith("fhir:"))
                        .toList())
                .isNotEmpty()
                .allMatch(TenantFhirEndpoint.class::isInstance);
    }
}
