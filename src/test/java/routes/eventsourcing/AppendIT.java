package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import eventbroker.patient.PatientEventPayload;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import routes.RuntimeIT;
import routes.platform.event.Event;
import routes.platform.event.EventReader;
import sandbox.ServerProcess;

/** Tests the records of events that callers append over HTTP. */
class AppendIT extends RuntimeIT {

    private static final String TOPIC = "patient.events";
    private static final String JSON = "application/json";

    private final String patient = "patient-" + UUID.randomUUID();

    @Autowired
    private EventReader events;

    @Test
    void appendsTheRecordThatTheContractDescribes() throws Exception {
        HttpResponse<String> answer = append(
                """
                {"type":"patient.profile.created","data":{"firstName":"Zoë","lastName":"Ångström","city":null}}""",
                "X-Correlation-Id",
                patient);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        JsonNode receipt = json(answer.body());
        ConsumerRecord<byte[], byte[]> record = recordsOf(patient).get(0);
        assertThat(receipt.path("topic").asText()).isEqualTo(TOPIC);
        assertThat(receipt.path("partition").asInt()).isEqualTo(record.partition());
        assertThat(receipt.path("offset").asLong()).isEqualTo(record.offset());
        assertThat(header(record, "event-type")).isEqualTo("patient.profile.created");
        assertThat(header(record, "aggregate-id")).isEqualTo(patient);
        assertThat(header(record, "correlation-id")).isEqualTo(patient);
        assertThat(header(record, "causation-id")).isNotEmpty();
        assertThat(header(record, "tenant")).isEqualTo("default");
        assertThat(Stream.of(record.headers().toArray()).map(header -> header.key()))
                .containsExactlyInAnyOrder("event-type", "aggregate-id", "correlation-id", "causation-id", "tenant");
        Event<?> event = events.decode(record);
        assertThat(event.metadata().eventId()).isEqualTo(receipt.path("eventId").asText());
        assertThat(event.metadata().timestamp())
                .isCloseTo(System.currentTimeMillis(), org.assertj.core.data.Offset.offset(60_000L));
        PatientEventPayload payload = (PatientEventPayload) event.payload();
        assertThat(payload.getFirstName()).isEqualTo("Zoë");
        assertThat(payload.getLastName()).isEqualTo("Ångström");
        assertThat(payload.getCity()).isNull();
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            JsonNode journey =
                    json(get("/api/activity?correlationId=" + patient).body());
            assertThat(journey).hasSize(1);
            assertThat(journey.at("/0/eventId")).isEqualTo(receipt.path("eventId"));
            assertThat(journey.at("/0/eventType").asText()).isEqualTo("patient.profile.created");
        });
    }

    @Test
    void keepsTheOrderOfAPatient() throws Exception {
        List<String> sent = IntStream.range(0, 10)
                .mapToObj(i -> json(append(
                                        """
                        {"type":"patient.contact.updated","data":{"phone":"%d"}}"""
                                                .formatted(i))
                                .body())
                        .path("eventId")
                        .asText())
                .toList();

        List<ConsumerRecord<byte[], byte[]>> records = recordsOf(patient);
        assertThat(records)
                .extracting(ConsumerRecord::partition)
                .containsOnly(records.get(0).partition());
        for (int i = 0; i < sent.size(); i++) {
            assertThat(events.decode(records.get(i)).metadata().eventId()).isEqualTo(sent.get(i));
        }
    }

    @Test
    void repeatsTheFirstAnswerForAnIdempotencyKey() {
        String body = """
                {"type":"patient.merged","data":{"mergedInto":"patient-2"}}""";
        HttpResponse<String> first = append(body, "Idempotency-Key", patient);
        HttpResponse<String> again = append(body, "Idempotency-Key", patient);
        HttpResponse<String> other = append(body.replace("-2", "-3"), "Idempotency-Key", patient);
        HttpResponse<String> otherPatient =
                post("/api/patients/someone-else/events", JSON, body, "Idempotency-Key", patient);

        assertThat(first.statusCode()).isEqualTo(202);
        assertThat(again.statusCode()).isEqualTo(202);
        assertThat(json(again.body())).isEqualTo(json(first.body()));
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(otherPatient.statusCode()).isEqualTo(409);
        assertThat(recordsOf(patient)).hasSize(1);
    }

    @Test
    void reusesTheEventIdWhenTheFirstRequestDied() throws Exception {
        String body = """
                {"type":"patient.merged","data":{"mergedInto":"patient-2"}}""";
        HttpResponse<String> first = append(body, "Idempotency-Key", patient);
        // the state after the instance died between the append and the answer
        jdbc.sql("update idempotency_key set answer = null where key = ?")
                .param(patient)
                .update();
        HttpResponse<String> again = append(body, "Idempotency-Key", patient);

        assertThat(json(again.body()).path("eventId"))
                .isEqualTo(json(first.body()).path("eventId"));
        assertThat(recordsOf(patient)).hasSize(2);
        for (ConsumerRecord<byte[], byte[]> record : recordsOf(patient)) {
            assertThat(events.decode(record).metadata().eventId())
                    .isEqualTo(json(first.body()).path("eventId").asText());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"%00", "a%0Ab", "a%20b", "-a", "%C3%A9", "a%2Fb"})
    void refusesAnInvalidPatientId(String id) {
        HttpResponse<String> answer = post(
                "/api/patients/" + id + "/events",
                JSON,
                """
                {"type":"patient.merged","data":{"mergedInto":"p"}}""");

        assertThat(answer.statusCode()).as(answer.body()).isIn(400, 404);
    }

    @Test
    void refusesAPatientIdOf129Characters() {
        HttpResponse<String> answer = post(
                "/api/patients/" + "x".repeat(129) + "/events",
                JSON,
                """
                {"type":"patient.merged","data":{"mergedInto":"p"}}""");

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText()).startsWith("path parameter id: ");
    }

    @Test
    void takesTenantAndPrincipalFromTheTokenAlone() throws Exception {
        HttpResponse<String> answer = exchange(HttpRequest.newBuilder(uri("/api/patients/" + patient + "/events"))
                .headers("Authorization", TOKENS.of("other"), "Content-Type", JSON, "tenant", "default")
                .headers("kafka.OVERRIDE_TOPIC", "medication.prescription.created", "aggregate-id", "x")
                .POST(HttpRequest.BodyPublishers.ofString(
                        """
                        {"type":"patient.merged","data":{"mergedInto":"p"}}""")));

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        ConsumerRecord<byte[], byte[]> record = recordsOf(patient).get(0);
        assertThat(header(record, "tenant")).isEqualTo("other");
        assertThat(header(record, "aggregate-id")).isEqualTo(patient);
        assertThat(events.decode(record).metadata().tenant()).isEqualTo("other");
    }

    @Test
    void appendsWhileTheRegistryIsDown() throws Exception {
        ServerProcess schemaRegistry = SERVERS.schemaRegistry();
        schemaRegistry.kill();
        try {
            assertThat(append("""
                    {"type":"patient.merged","data":{"mergedInto":"p"}}""")
                            .statusCode())
                    .isEqualTo(202);
            assertThat(json(management("/observe/health").body())
                            .at("/components/schemaRegistry/status")
                            .asText())
                    .isEqualTo("DOWN");
            assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
        } finally {
            schemaRegistry.start();
        }
        assertThat(json(management("/observe/health").body())
                        .at("/components/schemaRegistry/status")
                        .asText())
                .isEqualTo("UP");
    }

    private HttpResponse<String> append(String body, String... headers) {
        return post("/api/patients/" + patient + "/events", JSON, body, headers);
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String key) {
        return records(TOPIC).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(key))
                .toList();
    }
}
