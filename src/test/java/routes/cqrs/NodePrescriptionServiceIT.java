package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import routes.NodeClients;
import routes.RuntimeIT;

/** Tests kafkajs services that send commands, and that read commands and events. */
class NodePrescriptionServiceIT extends RuntimeIT {

    private static final String COMMANDS = "medication.commands";
    private static final String EVENTS = "medication.events";
    private static final String PRESCRIPTION =
            """
            {"patientId":"p-1","prescriberId":null,"medication":{"name":"Amoxicilline à 500 mg, gélule","ndc":null},"quantity":21.50,"hop":{"n":[1,null]}}""";

    private final String id = "rx-" + UUID.randomUUID();

    @BeforeAll
    static void setTimeout() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30));
    }

    @BeforeEach
    void install() {
        NodeClients.install();
    }

    @Test
    void letsANodeServiceReadACommandAndItsEvent() {
        JsonNode receipt = json(post(
                        "/api/prescriptions",
                        "application/json",
                        prescriptionWithId(id),
                        "X-Correlation-Id",
                        "visit-" + id)
                .body());
        String command = receipt.path("commandId").asText();

        JsonNode sent = consume(COMMANDS, 1).get(0);
        JsonNode value = sent.path("event");
        assertThat(sent.path("key").asText()).isEqualTo(id);
        assertThat(names(value))
                .containsExactly("commandId", "commandType", "aggregateId", "timestamp", "payload", "userId");
        assertThat(value.path("commandId").asText()).isEqualTo(command);
        assertThat(value.path("commandType").asText()).isEqualTo("CreatePrescription");
        assertThat(value.path("aggregateId").asText()).isEqualTo(id);
        assertThat(value.path("timestamp").isIntegralNumber()).isTrue();
        assertThat(value.path("payload")).isEqualTo(json(prescriptionWithId(id)));
        assertThat(value.path("userId").asText()).isEqualTo("sandbox");
        assertThat(names(sent.path("headers"))).containsExactlyInAnyOrder("correlation-id", "causation-id", "tenant");
        assertThat(sent.at("/headers/correlation-id").asText()).isEqualTo("visit-" + id);
        assertThat(sent.at("/headers/causation-id").asText()).isNotEmpty();
        assertThat(sent.at("/headers/tenant").asText()).isEqualTo("default");

        JsonNode event = consume(EVENTS, 1).get(0);
        JsonNode happened = event.path("event");
        assertThat(event.path("key").asText()).isEqualTo(id);
        assertThat(names(happened))
                .containsExactly("eventId", "eventType", "aggregateId", "timestamp", "payload", "commandId");
        assertThat(UUID.fromString(happened.path("eventId").asText()).version()).isEqualTo(5);
        assertThat(happened.path("eventType").asText()).isEqualTo("PrescriptionCreated");
        assertThat(happened.path("aggregateId").asText()).isEqualTo(id);
        assertThat(happened.path("timestamp").isIntegralNumber()).isTrue();
        assertThat(happened.path("commandId").asText()).isEqualTo(command);
        assertThat(happened.at("/payload/medication/name").asText()).isEqualTo("Amoxicilline à 500 mg, gélule");
        assertThat(happened.at("/payload/prescriberId").isNull()).isTrue();
        assertThat(happened.at("/payload/hop")).isEqualTo(json("""
                {"n":[1,null]}"""));
        assertThat(happened.at("/payload/status").asText()).isEqualTo("active");
        assertThat(new String(Base64.getDecoder().decode(event.path("base64").asText())))
                .as("numbers digit for digit")
                .contains("""
                        "quantity":21.50,""");
        assertThat(event.at("/headers/correlation-id").asText()).isEqualTo("visit-" + id);
        assertThat(event.at("/headers/causation-id").asText()).isEqualTo(command);
        assertThat(event.at("/headers/tenant").asText()).isEqualTo("default");
        assertThat(names(event.path("headers"))).containsExactlyInAnyOrder("correlation-id", "causation-id", "tenant");
    }

    @Test
    void appliesTheCommandsOfANodeServiceOnce() {
        List<String> commands = new ArrayList<>();
        commands.add(send("CreatePrescription", PRESCRIPTION, 1));
        commands.add(send("UpdatePrescription", """
                {"quantity":7}""", 3));
        commands.add(send("LockPrescription", """
                {"sagaId":"saga-1"}""", 1));
        commands.add(send("UnlockPrescription", """
                {"sagaId":"saga-1"}""", 1));
        commands.add(send("CancelPrescription", """
                {"reason":"remplacée"}""", 1));

        List<JsonNode> events = consume(EVENTS, 5);
        assertThat(events)
                .extracting(event -> event.at("/event/eventType").asText())
                .containsExactly(
                        "PrescriptionCreated",
                        "PrescriptionUpdated",
                        "PrescriptionLocked",
                        "PrescriptionUnlocked",
                        "PrescriptionCancelled");
        assertThat(events)
                .extracting(event -> event.at("/event/commandId").asText())
                .isEqualTo(commands);
        assertThat(events)
                .extracting(event -> event.at("/headers/correlation-id").asText())
                .as("a service that sends none: the command's own id")
                .isEqualTo(commands);
        await().untilAsserted(
                        () -> assertThat(json(get("/api/prescriptions/" + id).body())
                                        .path("statusReason")
                                        .asText())
                                .isEqualTo("remplacée"));
    }

    private static String prescriptionWithId(String id) {
        return PRESCRIPTION.replaceFirst("\\{", """
                {"id":"%s",""".formatted(id));
    }

    /** Sends a minimal command several times, like a service that missed the acknowledgement. */
    private String send(String type, String payload, int times) {
        String command = UUID.randomUUID().toString();
        byte[] value = bytes(
                """
                {"commandId":"%s","commandType":"%s","aggregateId":"%s","timestamp":%d,"payload":%s}"""
                        .formatted(command, type, id, System.currentTimeMillis(), payload));
        for (int i = 0; i < times; i++) {
            NodeClients.run(
                    "raw-producer.js",
                    List.of(
                            "--broker",
                            brokers(),
                            "--topic",
                            COMMANDS,
                            "--key",
                            id,
                            "--base64",
                            Base64.getEncoder().encodeToString(value)));
        }
        return command;
    }

    private List<JsonNode> consume(String topic, int count) {
        return NodeClients.run(
                        "consumer.js",
                        List.of(
                                "--broker",
                                brokers(),
                                "--topic",
                                topic,
                                "--group",
                                "node-" + UUID.randomUUID(),
                                "--prefix",
                                id,
                                "--count",
                                String.valueOf(count)))
                .lines();
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
