package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import eventbroker.patient.PatientEventPayload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import routes.NodeClients;
import routes.RuntimeIT;
import routes.platform.event.Event;
import routes.platform.event.EventReader;

/** Tests kafkajs services that append to patient.events and read events of the runtime. */
class NodePatientServiceIT extends RuntimeIT {

    private static final String TOPIC = "patient.events";
    private static final String REGISTRY = SERVERS.schemaRegistry().address();

    private final String patient = "patient-" + UUID.randomUUID();

    @Autowired
    private EventReader events;

    @TempDir
    private Path directory;

    @BeforeAll
    static void setTimeout() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30));
    }

    @BeforeEach
    void install() {
        NodeClients.install();
    }

    @Test
    void readsAnEventThatANodeServiceAppends() throws Exception {
        List<JsonNode> sent = append(
                "patient.profile.created",
                "--payload",
                """
                {"firstName":"Zo\\u00eb","lastName":"\\u00c5ngstr\\u00f6m \\ud83d\\ude00","middleName":null,"gender":"female"}""",
                "--payload",
                "{}");

        Event<?> event = event(0);
        PatientEventPayload payload = (PatientEventPayload) event.payload();
        assertThat(payload.getFirstName()).isEqualTo("Zoë");
        assertThat(payload.getLastName()).isEqualTo("Ångström \uD83D\uDE00");
        assertThat(payload.getMiddleName()).isNull();
        assertThat(payload.getCity()).isNull();
        assertThat(event.metadata().eventId())
                .isEqualTo(sent.get(0).at("/event/metadata/eventId").asText());
        assertThat(event.metadata().timestamp())
                .isEqualTo(sent.get(0).at("/event/metadata/timestamp").asLong());
        assertThat(event.metadata().correlationId()).isEqualTo(event.metadata().eventId());
        assertThat(event.metadata().tenant()).isEqualTo("default");
        assertThat(event(1).payload()).isEqualTo(new PatientEventPayload());
        awaitActivity(sent.get(0));
        awaitActivity(sent.get(1));
    }

    @Test
    void readsScopeListsAndATenantInTheClaims() throws Exception {
        List<JsonNode> sent = append(
                "patient.contact.updated",
                "--payload",
                """
                {"phone":"+33 1"}""",
                "--metadata",
                """
                {"correlationId":"visit-""" + patient
                        + """
                                ","causationId":null,"version":"2.0.0","security":{"principal":"p","""
                        + """
                                "claims":{"scope":["patients.write","patients.read"],"tenant":"other"}}}""");

        assertThat(event(0).metadata().tenant()).isEqualTo("other");
        assertThat(event(0).metadata().correlationId()).isEqualTo("visit-" + patient);
        assertThat(sent).hasSize(1);

        append(
                "patient.contact.updated",
                "--payload",
                """
                {"phone":"+33 2"}""",
                "--metadata",
                """
                {"security":{"principal":"p","tenant":"other","claims":{"scope":"patients.write"}}}""");
        assertThat(event(1).metadata().tenant()).isEqualTo("other");
    }

    @Test
    void readsAnEventWithANewerSchemaOfANodeService() throws Exception {
        String ours = Files.readString(Path.of("schemas/patient-events-value.avsc"));
        String newer = ours.replaceFirst(
                "(?m)^( *\\{ .name.: .firstName.)",
                """
                        { "name": "pronouns", "type": ["null", "string"], "default": null },
                $1""");
        assertThat(newer).isNotEqualTo(ours);
        Path file = Files.writeString(directory.resolve("newer.avsc"), newer);

        List<JsonNode> sent = append(
                "patient.profile.updated",
                "--schema",
                file.toString(),
                "--payload",
                """
                {"pronouns":"elle","firstName":"Ren\\u00e9e"}""");
        // the registry still finds the version of the runtime by its text
        List<JsonNode> older = append(
                "patient.profile.updated",
                "--schema",
                Path.of("schemas/patient-events-value.avsc").toAbsolutePath().toString(),
                "--payload",
                """
                {"firstName":"Ren\\u00e9e"}""");

        assertThat(((PatientEventPayload) event(0).payload()).getFirstName()).isEqualTo("Renée");
        assertThat(event(1).payload()).isEqualTo(event(0).payload());
        assertThat(sent.get(0).path("schemaId")).isNotEqualTo(older.get(0).path("schemaId"));
        awaitActivity(sent.get(0));
        awaitActivity(older.get(0));
    }

    @Test
    void letsANodeServiceReadAnEventAppendedOverHttp() {
        post(
                "/api/patients/" + patient + "/events",
                "application/json",
                """
                {"type":"patient.profile.created","data":{"firstName":"Zoë","street":"Rue de l'Évêché 7","city":null}}""",
                "X-Correlation-Id",
                patient);

        JsonNode record = NodeClients.run(
                        "consumer.js",
                        List.of(
                                "--broker",
                                brokers(),
                                "--topic",
                                TOPIC,
                                "--group",
                                "node-" + UUID.randomUUID(),
                                "--prefix",
                                patient,
                                "--count",
                                "1",
                                "--registry",
                                REGISTRY))
                .lines()
                .get(0);
        assertThat(record.at("/headers/event-type").asText()).isEqualTo("patient.profile.created");
        assertThat(record.at("/headers/aggregate-id").asText()).isEqualTo(patient);
        assertThat(record.at("/headers/correlation-id").asText()).isEqualTo(patient);
        assertThat(record.at("/headers/tenant").asText()).isEqualTo("default");
        JsonNode metadata = record.at("/event/metadata");
        assertThat(metadata.path("eventType").asText()).isEqualTo("patient.profile.created");
        assertThat(metadata.path("eventSource").asText()).isEqualTo("patient-service");
        assertThat(metadata.path("timestamp").isIntegralNumber()).isTrue();
        assertThat(metadata.path("version").asText()).isEqualTo("1.0.0");
        assertThat(metadata.path("correlationId").asText()).isEqualTo(patient);
        assertThat(metadata.path("security").toString())
                .isEqualTo("""
                        {"principal":"sandbox","tenant":"default","claims":null}""");
        JsonNode payload = record.at("/event/payload");
        assertThat(payload.path("firstName").asText()).isEqualTo("Zoë");
        assertThat(payload.path("street").asText()).isEqualTo("Rue de l'Évêché 7");
        assertThat(payload.path("city").isNull()).isTrue();
        assertThat(payload.path("reason").isNull()).isTrue();
    }

    /** @param more options in ASCII: Java 17 encodes them with the charset of the machine */
    private List<JsonNode> append(String type, String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("--broker", brokers(), "--registry", REGISTRY, "--key", patient, "--type", type));
        arguments.addAll(List.of(more));
        return NodeClients.run("patient-service.js", arguments).lines();
    }

    /** The patient's event at an index. */
    private Event<?> event(int index) throws IOException {
        List<ConsumerRecord<byte[], byte[]>> all = records(TOPIC).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(patient))
                .toList();
        assertThat(all).hasSizeGreaterThan(index);
        return events.decode(all.get(index));
    }

    private void awaitActivity(JsonNode sent) {
        await().untilAsserted(() -> assertThat(
                        jdbc.sql("select count(*) from activity where topic = ? and event_id = ? and \"offset\" = ?")
                                .params(
                                        TOPIC,
                                        sent.at("/event/metadata/eventId").asText(),
                                        sent.path("offset").asLong())
                                .query(Integer.class)
                                .single())
                .isEqualTo(1));
    }
}
