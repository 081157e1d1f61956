package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eventbroker.patient.Claims;
import eventbroker.patient.Metadata;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import eventbroker.patient.Security;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import routes.RuntimeIT;
import routes.platform.avro.AvroCodec;
import routes.platform.event.Event;
import routes.platform.event.EventReader;
import sandbox.ServerProcess;

/** Avro records that are poison or wait for the registry, and their neighbours. */
class AvroRecordsIT extends RuntimeIT {

    private static final String TOPIC = "patient.events";
    private static final String DEAD = TOPIC + ".dlq";
    private static final String LETTERS = "/api/dead-letters";
    private static final int PARTITION = 2;

    private final String run = UUID.randomUUID().toString();

    @Autowired
    private AvroCodec codec;

    @Autowired
    private EventReader events;

    @BeforeAll
    static void patience() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    }

    @Test
    void deadLettersOnlyThePoisonRecords() throws Exception {
        byte[] good = value();
        Map<String, byte[]> poison = new LinkedHashMap<>();
        poison.put(
                "does not begin with byte 0, expected Avro in Confluent's wire format",
                bytes("""
                {"metadata":{}}"""));
        poison.put("ends within the schema id of Confluent's wire format", new byte[] {0, 0, 0});
        poison.put("empty, expected Avro", null);
        poison.put("schema id 2000000000 is not known to the registry", withId(good, 2_000_000_000));
        poison.put("ends within the value of schema id " + id(good), Arrays.copyOf(good, good.length - 1));
        poison.put("has 1 bytes after the value of schema id " + id(good), Arrays.copyOf(good, good.length + 1));
        int other = register(
                "other-" + run,
                """
                {"type":"record","name":"Other","fields":[{"name":"a","type":"string"}]}""");
        poison.put(
                "schema id " + other + " is not registered on subject patient-events-value",
                withId(new byte[] {0, 0, 0, 0, 0, 2, 'a'}, other));
        // somebody's own copy, under another subject
        int copy = register(
                "copy-" + run,
                Files.readString(Path.of("schemas/patient-events-value.avsc")).replace("ISO 8601, 1984", run));
        poison.put("schema id " + copy + " is not registered on subject patient-events-value", withId(good, copy));
        List<byte[]> values = new ArrayList<>();
        List<String> eventIds = new ArrayList<>();
        for (byte[] bad : poison.values()) {
            eventIds.add(add(values));
            values.add(bad);
        }
        eventIds.add(add(values));

        send(values);

        awaitNoted(eventIds);
        await().untilAsserted(() -> assertThat(letters()).hasSize(poison.size()));
        List<ConsumerRecord<byte[], byte[]>> letters = letters();
        int i = 0;
        for (Map.Entry<String, byte[]> bad : poison.entrySet()) {
            ConsumerRecord<byte[], byte[]> letter = letters.get(i++);
            assertThat(header(letter, "error-message")).startsWith(bad.getKey());
            assertThat(letter.value()).isEqualTo(bad.getValue());
            assertThat(header(letter, "consumer-group")).isEqualTo("patient-view-builder");
        }
        await().untilAsserted(() -> assertThat(
                        json(get(LETTERS + "?limit=20&key=" + run).body()).findValuesAsText("errorClass"))
                .containsExactlyInAnyOrder(
                        "MalformedAvroException",
                        "MalformedAvroException",
                        "MalformedAvroException",
                        "MalformedAvroException",
                        "MalformedAvroException",
                        "UnknownSchemaException",
                        "UnknownSchemaException",
                        "UnknownSchemaException"));
    }

    @Test
    void waitsForTheRegistryOnlyWithUnseenSchemas() throws Exception {
        send(List.of(value()));
        // the same schema under an id that nobody here has asked for
        int cold = register(
                "patient-events-value",
                Files.readString(Path.of("schemas/patient-events-value.avsc")).replace("BCP 47.", run));
        ServerProcess schemaRegistry = SERVERS.schemaRegistry();
        List<byte[]> values = new ArrayList<>();
        List<String> warm = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            warm.add(add(values));
        }
        List<String> waiting = List.of(add(values), add(values));
        values.set(5, withId(values.get(5), cold));

        schemaRegistry.kill();
        try {
            send(values);
            awaitNoted(warm);
            await().untilAsserted(() ->
                    assertThat(management("/observe/health").body()).contains("RegistryUnavailableException"));
            assertThat(noted(waiting)).isZero();
        } finally {
            schemaRegistry.start();
        }
        awaitNoted(waiting);
        assertThat(letters()).isEmpty();
    }

    @Test
    void showsADeadLetterAsJsonAndSendsItsEditInAvro() throws Exception {
        String letter = letter(value(), "default");
        JsonNode detail = json(get(LETTERS + "/" + letter).body());
        assertThat(detail.at("/decoded/payload/phone").asText()).isEqualTo("1");
        assertThat(detail.at("/decoded/metadata/correlationId").asText()).isEqualTo(run);
        assertThat(detail.path("problems")).isEmpty();

        ObjectNode edit = detail.path("decoded").deepCopy();
        ((ObjectNode) edit.path("payload")).put("phone", 2);
        assertThat(reprocess(letter, edit)).isEqualTo("body /payload/phone: must be null or a string");
        ((ObjectNode) edit.path("payload")).put("phone", "2").put("fax", "3");
        assertThat(reprocess(letter, edit)).startsWith("body /payload/fax: is not known; known are firstName");
        ((ObjectNode) edit.path("payload")).remove("fax");
        ((ObjectNode) edit.path("metadata")).put("eventId", "e-1");
        assertThat(reprocess(letter, edit)).isEqualTo("/metadata/eventId: is not a valid uuid");
        ((ObjectNode) edit.path("metadata")).put("eventId", UUID.randomUUID().toString());
        assertThat(reprocess(letter, edit)).isEqualTo("/metadata/eventId: differs from the dead letter");
        String eventId = detail.at("/decoded/metadata/eventId").asText();
        ((ObjectNode) edit.path("metadata")).put("eventId", eventId);
        assertThat(reprocess(letter, edit)).isEmpty();

        awaitNoted(List.of(eventId));
        ConsumerRecord<byte[], byte[]> sent = records(TOPIC).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(run))
                .findFirst()
                .orElseThrow();
        assertThat(header(sent, "reprocessed")).isEqualTo("true");
        Event<?> event = events.decode(sent);
        assertThat(event.metadata().eventId()).isEqualTo(eventId);
        assertThat(((PatientEventPayload) event.payload()).getPhone()).isEqualTo("2");
        assertThat(jdbc.sql("select event_id from outbox where key = ?")
                        .param(bytes(run))
                        .query(String.class)
                        .single())
                .isEqualTo(eventId);
    }

    @Test
    void findsTheTenantOfADeadLetterInItsAvro() throws Exception {
        PatientEvent event = event(UUID.randomUUID().toString());
        event.getMetadata()
                .setSecurity(Security.newBuilder()
                        .setPrincipal("p")
                        .setClaims(Claims.newBuilder().setTenant("other").build())
                        .build());

        letter(codec.encode(event), "other");
    }

    /** The id of a letter that a service has written by hand. */
    private String letter(byte[] value, String tenant) {
        send(DEAD, run, value, Map.of("original-topic", TOPIC));
        await().until(() -> jdbc.sql("select count(*) from dead_letter where tenant = ? and key = ?")
                        .params(tenant, bytes(run))
                        .query(Integer.class)
                        .single()
                == 1);
        return jdbc.sql("select id from dead_letter where key = ?")
                .param(bytes(run))
                .query(String.class)
                .single();
    }

    /** What is wrong with the edit; empty when it is accepted. */
    private String reprocess(String letter, JsonNode edit) {
        HttpResponse<String> answer = post(LETTERS + "/" + letter + "/reprocess", "application/json", edit.toString());
        assertThat(answer.statusCode()).as(answer.body()).isIn(202, 400);
        return json(answer.body()).path("error").asText("");
    }

    /** Adds a value that can be read. */
    private String add(List<byte[]> values) throws IOException {
        String eventId = UUID.randomUUID().toString();
        values.add(value(eventId));
        return eventId;
    }

    private byte[] value() throws IOException {
        return value(UUID.randomUUID().toString());
    }

    private byte[] value(String eventId) throws IOException {
        return codec.encode(event(eventId));
    }

    private PatientEvent event(String eventId) {
        return PatientEvent.newBuilder()
                .setMetadata(Metadata.newBuilder()
                        .setEventId(eventId)
                        .setEventType("patient.contact.updated")
                        .setEventSource("patient-service")
                        .setTimestamp(Instant.now())
                        .setCorrelationId(run)
                        .build())
                .setPayload(PatientEventPayload.newBuilder().setPhone("1").build())
                .build();
    }

    private static byte[] withId(byte[] value, int id) {
        byte[] other = value.clone();
        ByteBuffer.wrap(other).putInt(1, id);
        return other;
    }

    private static int id(byte[] value) {
        return ByteBuffer.wrap(value).getInt(1);
    }

    /** To one partition, in this order. */
    private void send(List<byte[]> values) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers()), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (byte[] value : values) {
                producer.send(new ProducerRecord<>(TOPIC, PARTITION, bytes(run), value));
            }
        }
    }

    private void awaitNoted(List<String> eventIds) {
        await().untilAsserted(() -> assertThat(noted(eventIds)).isEqualTo(eventIds.size()));
    }

    private int noted(List<String> eventIds) {
        return jdbc.sql("select count(*) from activity where topic = :topic and event_id in (:ids)")
                .param("topic", TOPIC)
                .param("ids", eventIds)
                .query(Integer.class)
                .single();
    }

    private List<ConsumerRecord<byte[], byte[]>> letters() {
        return records(DEAD).stream()
                .filter(letter -> run.equals(text(letter.key())))
                .toList();
    }

    private static int register(String subject, String text) throws IOException {
        HttpResponse<String> answer = exchange(HttpRequest.newBuilder(
                        URI.create(SERVERS.schemaRegistry().address() + "/subjects/" + subject + "/versions"))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .POST(HttpRequest.BodyPublishers.ofString(
                        new ObjectMapper().writeValueAsString(Map.of("schema", text)))));
        return json(answer.body()).path("id").asInt();
    }
}
