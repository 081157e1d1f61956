package bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import eventbroker.patient.Metadata;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import eventbroker.patient.Security;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import routes.platform.Json;

/** Writes events of patients in Avro, ten each. Checks the tables of their projection. */
final class PatientEvents {

    static final int EVENTS_EACH = 10;

    /** Milliseconds between two events of a patient. */
    static final long PACE = 1000;

    static final long BEGAN = 1_760_000_000_000L;

    private PatientEvents() {}

    static String id(int patient) {
        return "patient-%07d".formatted(patient);
    }

    /**
     * Registers the schema and sends the events, round by round of all their patients.
     *
     * @param first number of the first event; earlier events have other patients
     */
    static void fill(Map<String, String> servers, String topic, int first, int count)
            throws IOException, InterruptedException {
        int schema = register(servers.get("event-broker.schema-registry.url"));
        int patients = count / EVENTS_EACH;
        SpecificDatumWriter<PatientEvent> writer = new SpecificDatumWriter<>(PatientEvent.class);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        servers.get("camel.component.kafka.brokers"),
                        "linger.ms",
                        "5",
                        "batch.size",
                        "131072"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            BinaryEncoder encoder = null;
            for (int n = 0; n < count; n++) {
                ByteArrayOutputStream value = new ByteArrayOutputStream(512);
                value.write(ByteBuffer.allocate(5).put((byte) 0).putInt(schema).array());
                encoder = EncoderFactory.get().binaryEncoder(value, encoder);
                writer.write(event(n / patients, first + n), encoder);
                encoder.flush();
                producer.send(new ProducerRecord<>(
                        topic,
                        id(first / EVENTS_EACH + n % patients).getBytes(StandardCharsets.UTF_8),
                        value.toByteArray()));
            }
        }
    }

    private static PatientEvent event(int round, int n) {
        PatientEventPayload.Builder payload = PatientEventPayload.newBuilder();
        String type =
                switch (round % 3) {
                    case 1 -> "patient.address.updated";
                    case 2 -> "patient.contact.updated";
                    default -> round == 0 ? "patient.profile.created" : "patient.profile.updated";
                };
        switch (type) {
            case "patient.address.updated" ->
                payload.setStreet(n + " Longfellow Street")
                        .setCity("Springfield")
                        .setState("MA")
                        .setPostalCode("01101")
                        .setCountry("US");
            case "patient.contact.updated" -> payload.setPhone("555-" + n).setEmail("patient-" + n + "@example.org");
            default ->
                payload.setFirstName("Zo\u00eb")
                        .setLastName("M\u00fcller " + n)
                        .setMiddleName("Anne")
                        .setDateOfBirth("1984-02-29")
                        .setGender("female")
                        .setLanguage("en");
        }
        return PatientEvent.newBuilder()
                .setMetadata(Metadata.newBuilder()
                        .setEventId(UUID.nameUUIDFromBytes(("event " + n).getBytes(StandardCharsets.UTF_8))
                                .toString())
                        .setEventType(type)
                        .setEventSource("patient-service")
                        .setTimestamp(Instant.ofEpochMilli(BEGAN + round * PACE))
                        .setCorrelationId("visit-" + n)
                        .setSecurity(Security.newBuilder()
                                .setPrincipal("dr-1")
                                .setTenant("default")
                                .build())
                        .build())
                .setPayload(payload.build())
                .build();
    }

    private static int register(String registry) throws IOException, InterruptedException {
        String text = Files.readString(Path.of("schemas", "patient-events-value.avsc"));
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(registry + "/subjects/patient-events-value/versions"))
                                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                                .POST(HttpRequest.BodyPublishers.ofByteArray(Json.write(
                                        JsonNodeFactory.instance.objectNode().put("schema", text))))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        return Json.readObject(answer.body().getBytes(StandardCharsets.UTF_8))
                .path("id")
                .asInt();
    }

    /** Empties the tables if they exist. They record the time of each insert from then on. */
    static boolean empty(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            try (ResultSet table = statement.executeQuery("select to_regclass('projection_rebuild') is not null")) {
                table.next();
                if (!table.getBoolean(1)) {
                    return false;
                }
            }
            statement.execute(
                    "alter table patient_event add column if not exists at timestamptz not null default clock_timestamp()");
            statement.execute("truncate patient_event, patient_view, projection_position");
            return true;
        }
    }

    /**
     * Counts the projected events.
     *
     * @return milliseconds between the first and the last event
     * @throws IllegalStateException for a missing event, or a view that differs from its last events
     */
    static long verify(Connection connection, int count) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        """
                        select (select count(*) from patient_event),
                               (select count(*) from patient_view where view ->> 'email' like 'patient-%' and view ? 'createdAt'
                                   and (view ->> 'addressUpdatedAt')::bigint = """
                                + (BEGAN + 7 * PACE)
                                + """
                        ), (select (extract(epoch from max(at) - min(at)) * 1000)::bigint from patient_event)""")) {
            result.next();
            if (result.getInt(1) != count || result.getInt(2) != count / EVENTS_EACH) {
                throw new IllegalStateException("%d events and %d whole views; expected %d and %d"
                        .formatted(result.getInt(1), result.getInt(2), count, count / EVENTS_EACH));
            }
            return Math.max(1, result.getLong(3));
        }
    }
}
