package routes.pubsub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.RuntimeIT;
import sandbox.Topics;

class PubsubIT extends RuntimeIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String UPDATED = "medication.prescription.updated";
    private static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";

    private final String id = "rx-" + UUID.randomUUID();
    private final String patient = "patient-" + UUID.randomUUID();

    @BeforeAll
    static void setTimeout() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    }

    @Test
    void publishesAPayloadThatReachesBothSubscribers() {
        HttpResponse<String> answer =
                post("/api/topics/" + CREATED + "/events", JSON, prescription(id), "X-Correlation-Id", "visit-" + id);

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.headers().firstValue("X-Correlation-Id")).contains("visit-" + id);
        JsonNode receipt = json(answer.body());
        assertThat(receipt.path("topic").asText()).isEqualTo(CREATED);
        JsonNode order = awaitOrders(1).get(0);
        assertThat(order.path("eventId")).isEqualTo(receipt.path("eventId"));
        assertThat(order.at("/prescription/medication/name").asText()).isEqualTo("Amoxicilline à 500 mg");
        assertThat(order.at("/prescription/quantity").decimalValue()).isEqualByComparingTo("21.50");
        await().untilAsserted(() -> {
            JsonNode journey =
                    json(get("/api/activity?correlationId=visit-" + id).body());
            assertThat(journey).hasSize(1);
            assertThat(journey.at("/0/eventId")).isEqualTo(receipt.path("eventId"));
            assertThat(journey.at("/0/causationId").asText()).isNotEmpty();
        });
    }

    @Test
    void sendsTheRecordThatTheContractDescribes() {
        post("/api/topics/" + CREATED + "/events", JSON, prescription(id), "X-Correlation-Id", "visit-" + id);

        ConsumerRecord<byte[], byte[]> record = recordsOf(CREATED, id).get(0);
        assertThat(header(record, "content-type")).isEqualTo("application/json");
        assertThat(header(record, "event-type")).isEqualTo(CREATED);
        assertThat(header(record, "event-source")).isEqualTo("medication-service");
        assertThat(header(record, "correlation-id")).isEqualTo("visit-" + id);
        assertThat(header(record, "causation-id")).isNotEmpty();
        assertThat(header(record, "tenant")).isEqualTo("default");
        assertThat(Stream.of(record.headers().toArray()).map(h -> h.key()))
                .containsExactlyInAnyOrder(
                        "content-type", "event-type", "event-source", "correlation-id", "causation-id", "tenant");
        JsonNode metadata = json(text(record.value())).path("metadata");
        assertThat(metadata.path("version").asText()).isEqualTo("1.0.0");
        assertThat(metadata.at("/security/principal").asText()).isEqualTo("sandbox");
        assertThat(metadata.at("/security/tenant").asText()).isEqualTo("default");
    }

    @Test
    void keepsAnEnvelopeExceptItsSecurity() {
        String event = envelope(UUID.randomUUID(), id, 1760000000000L)
                .replace("\"tenant\":\"default\"", "\"tenant\":\"other\"");

        HttpResponse<String> answer = post("/api/topics/" + CREATED + "/events", JSON, event);

        assertThat(answer.statusCode()).isEqualTo(202);
        JsonNode sent = json(text(recordsOf(CREATED, id).get(0).value()));
        assertThat(sent.at("/metadata/eventId")).isEqualTo(json(event).at("/metadata/eventId"));
        assertThat(sent.at("/metadata/correlationId").asText()).isEqualTo("visit-1");
        assertThat(sent.at("/metadata/security/principal").asText()).isEqualTo("sandbox");
        assertThat(sent.at("/metadata/security/tenant").asText()).isEqualTo("default");
        assertThat(sent.path("payload")).isEqualTo(json(event).path("payload"));
    }

    @Test
    void deadLettersAnEventWithTheIdOfAnother() {
        UUID event = UUID.randomUUID();
        send(CREATED, id, bytes(envelope(event, id, 1760000000000L)), Map.of());
        send(CREATED, id, bytes(envelope(event, id + "-2", 1760000000000L)), Map.of());

        awaitOrders(1);
        await().untilAsserted(() -> assertThat(
                        json(get("/api/dead-letters?key=" + id).body()).findValuesAsText("errorMessage"))
                .containsExactly("/metadata/eventId: belongs to another event"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff"})
    void refusesTheNilAndTheMaxUuid(String none) {
        String event = envelope(UUID.randomUUID(), id, 1760000000000L);
        event = event.replace(json(event).at("/metadata/eventId").asText(), none);

        HttpResponse<String> answer = post("/api/topics/" + CREATED + "/events", JSON, event);
        send(CREATED, id, bytes(event), Map.of());

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText())
                .isEqualTo("the id is the nil or the max UUID, which names no event");
        await().untilAsserted(() -> assertThat(
                        json(get("/api/dead-letters?key=" + id).body()).findValuesAsText("errorMessage"))
                .containsExactly("the id is the nil or the max UUID, which names no event"));
    }

    @Test
    void appliesADuplicateEventOnce() {
        UUID event = UUID.randomUUID();
        byte[] value = bytes(envelope(event, id, 1760000000000L));

        send(CREATED, id, value, Map.of());
        send(CREATED, id, value, Map.of());
        send(CREATED, id, value, Map.of());
        // on the same partition: once this event is handled, the three before it are too
        send(CREATED, id, bytes(envelope(UUID.randomUUID(), id + "-last", 1760000000000L)), Map.of());

        awaitOrders(2);
        assertThat(jdbc.sql("select count(*) from handled_event where event_id = ?")
                        .param(event)
                        .query(Integer.class)
                        .single())
                .isEqualTo(1);
        await().untilAsserted(() -> assertThat(jdbc.sql("select count(*) from activity where event_id = ?")
                        .param(event.toString())
                        .query(Integer.class)
                        .single())
                .isEqualTo(1));
    }

    @Test
    void appliesAnEventIdInUpperAndLowerCaseOnce() {
        UUID event = UUID.randomUUID();
        String lower = envelope(event, id, 1760000000000L);
        String upper = lower.replace(event.toString(), event.toString().toUpperCase(Locale.ROOT));

        send(CREATED, id, bytes(upper), Map.of());
        send(CREATED, id, bytes(lower), Map.of());
        String last = UUID.randomUUID().toString();
        send(CREATED, id, bytes(envelope(UUID.fromString(last), id + "-last", 1760000000000L)), Map.of());

        awaitOrders(2);
        await().untilAsserted(() -> assertThat(jdbc.sql("select event_id from activity where lower(event_id) in (?, ?)")
                        .params(event.toString(), last)
                        .query(String.class)
                        .list())
                .containsExactlyInAnyOrder(event.toString(), last));
        assertThat(jdbc.sql("select count(*) from handled_event where event_id = ?")
                        .param(event)
                        .query(Integer.class)
                        .single())
                .isEqualTo(1);
    }

    @Test
    void refusesATimestampFarAhead() {
        long year9999 = 253_402_300_799_999L;
        String ahead = envelope(UUID.randomUUID(), id, year9999);
        String soon = envelope(
                UUID.randomUUID(),
                id,
                System.currentTimeMillis() + Duration.ofMinutes(10).toMillis());
        String path = "/api/topics/" + CREATED + "/events";

        for (String event : List.of(ahead, soon)) {
            HttpResponse<String> answer = post(path, JSON, event);
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(json(answer.body()).path("error").asText())
                    .isEqualTo("the timestamp is more than 5 minutes ahead");
        }
        JsonNode stream = json(post(path, NDJSON, ahead + "\n" + envelope(UUID.randomUUID(), id, 1000) + "\n")
                .body());
        assertThat(stream.path("accepted").asInt()).isEqualTo(1);
        assertThat(stream.at("/rejected/0/error").asText()).isEqualTo("the timestamp is more than 5 minutes ahead");
        assertThat(recordsOf(CREATED, id)).hasSize(1);

        send(CREATED, id, bytes(ahead), Map.of());
        // the broker's clock decides, not the producer's
        send(CREATED, id, bytes(soon), year9999);
        send(UPDATED, id, bytes(cancelled(envelope(UUID.randomUUID(), id, System.currentTimeMillis()))), Map.of());

        await().untilAsserted(() -> assertThat(recordsOf(CREATED + ".dlq", id))
                .extracting(letter -> header(letter, "error-message"))
                .containsExactly(
                        "the timestamp is more than 5 minutes ahead", "the timestamp is more than 5 minutes ahead"));
        await().untilAsserted(() ->
                assertThat(awaitOrders(1).get(0).path("status").asText()).isEqualTo("cancelled"));
    }

    @Test
    void cancelsAnOrderWithATimestampSlightlyAhead() {
        long ahead = System.currentTimeMillis() + Duration.ofMinutes(4).toMillis();
        send(CREATED, id, bytes(envelope(UUID.randomUUID(), id, ahead)), Map.of());
        awaitOrders(1);

        send(UPDATED, id, bytes(cancelled(envelope(UUID.randomUUID(), id, System.currentTimeMillis()))), Map.of());

        await().untilAsserted(() ->
                assertThat(awaitOrders(1).get(0).path("status").asText()).isEqualTo("cancelled"));
    }

    private static String cancelled(String event) {
        return event.replace("\"prescriberId\"", "\"status\":\"cancelled\",\"prescriberId\"");
    }

    /** Sends a record with a timestamp of the producer. */
    private static void send(String topic, String key, byte[] value, long timestamp) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers()), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, null, timestamp, bytes(key), value));
        }
    }

    @Test
    void keepsTheLaterStateWhenAnUpdateOvertakesTheCreation() {
        send(
                UPDATED,
                id,
                bytes(envelope(UUID.randomUUID(), id, 2000).replace("Amoxicilline", "Doxycycline")),
                Map.of());
        awaitOrders(1);
        send(CREATED, id, bytes(envelope(UUID.randomUUID(), id, 1000)), Map.of());
        send(CREATED, id, bytes(envelope(UUID.randomUUID(), id + "-last", 1000)), Map.of());

        JsonNode orders = awaitOrders(2);
        assertThat(orders.at("/1/prescription/medication/name").asText()).startsWith("Doxycycline");
    }

    @Test
    void repeatsTheFirstAnswerForAnIdempotencyKey() {
        String path = "/api/topics/" + CREATED + "/events";
        HttpResponse<String> first = post(path, JSON, prescription(id), "Idempotency-Key", id);
        HttpResponse<String> again = post(path, JSON, prescription(id), "Idempotency-Key", id);
        HttpResponse<String> other = post(path, JSON, prescription(id + "x"), "Idempotency-Key", id);

        assertThat(first.statusCode()).isEqualTo(202);
        assertThat(again.statusCode()).isEqualTo(202);
        assertThat(again.body()).isEqualTo(first.body());
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(recordsOf(CREATED, id)).hasSize(1);
    }

    @Test
    void givesConcurrentRequestsWithOneKeyOneAnswer() {
        List<String> answers = IntStream.range(0, 10)
                .parallel()
                .mapToObj(i -> post("/api/topics/" + CREATED + "/events", JSON, prescription(id), "Idempotency-Key", id)
                        .body())
                .distinct()
                .toList();

        assertThat(answers).hasSize(1);
        assertThat(recordsOf(CREATED, id))
                .extracting(record -> json(text(record.value())).at("/metadata/eventId"))
                .containsOnly(json(answers.get(0)).path("eventId"));
        assertThat(awaitOrders(1).at("/0/eventId"))
                .isEqualTo(json(answers.get(0)).path("eventId"));
    }

    @Test
    void reportsWrongLinesAndPublishesTheOthers() {
        String lines = prescription(id) + "\n\n{broken\n" + envelope(UUID.randomUUID(), id + "-2", 1) + "\r\n{}\n"
                + " ".repeat(1_100_000) + "\n" + prescription(id + "-3");

        HttpResponse<String> answer = post("/api/topics/" + CREATED + "/events", NDJSON, lines, "Idempotency-Key", id);
        HttpResponse<String> again = post("/api/topics/" + CREATED + "/events", NDJSON, lines, "Idempotency-Key", id);

        assertThat(answer.statusCode()).isEqualTo(202);
        JsonNode receipt = json(answer.body());
        assertThat(receipt.path("accepted").asInt()).isEqualTo(3);
        assertThat(receipt.path("rejected").findValuesAsText("line")).containsExactly("3", "5", "6");
        assertThat(receipt.at("/rejected/1/error").asText()).isEqualTo("/patientId: is required; and 2 more");
        assertThat(again.body()).isEqualTo(answer.body());
        assertThat(recordsOf(CREATED, id)).hasSize(1);
        awaitOrders(3);
    }

    static Stream<Arguments> refused() {
        String fine = """
                {"id":"x","patientId":"p","medication":{"name":"n"}}""";
        return Stream.of(
                Arguments.of(
                        "broken JSON",
                        CREATED,
                        JSON,
                        """
                        {"id":""",
                        400,
                        "not valid JSON at line 1, column"),
                Arguments.of("two values", CREATED, JSON, fine + fine, 400, "not valid JSON"),
                Arguments.of(
                        "the same field twice",
                        CREATED,
                        JSON,
                        """
                        {"id":1,"id":2}""",
                        400,
                        "not valid JSON"),
                Arguments.of("no body", CREATED, JSON, "", 400, "empty, expected JSON"),
                Arguments.of("no object", CREATED, JSON, "[]", 400, "body: must be an object"),
                Arguments.of(
                        "deep nesting",
                        CREATED,
                        JSON,
                        "[".repeat(100_000),
                        400,
                        "JSON exceeds the limits: 1000 levels"),
                Arguments.of(
                        "a field missing",
                        CREATED,
                        JSON,
                        fine.replace("patientId", "who"),
                        400,
                        "body /patientId: is required"),
                Arguments.of(
                        "a wrong type",
                        CREATED,
                        JSON,
                        fine.replace("\"p\"", "7"),
                        400,
                        "body /patientId: must be a string"),
                Arguments.of(
                        "half an envelope",
                        CREATED,
                        JSON,
                        """
                                {"metadata":{},"payload":{}}""",
                        400,
                        "body /metadata/"),
                Arguments.of("an unknown topic", "no.such.topic", JSON, fine, 404, "no such topic"),
                Arguments.of("a dead-letter topic", CREATED + ".dlq", JSON, fine, 404, "no such topic"),
                Arguments.of("an internal topic", "__consumer_offsets", JSON, fine, 404, "no such topic"),
                Arguments.of("plain text", CREATED, "text/plain", fine, 415, "Content-Type must be"),
                Arguments.of(
                        "a form", CREATED, "application/x-www-form-urlencoded", "kafka.OVERRIDE_TOPIC=x", 415, "forms"),
                Arguments.of(
                        "too large a body", CREATED, JSON, " ".repeat(1_048_577), 413, "larger than 1048576 bytes"),
                Arguments.of(
                        "too large an event",
                        CREATED,
                        JSON,
                        fine.replace("\"n\"", "\"" + "n".repeat(1_048_000) + "\""),
                        413,
                        "larger than topic"),
                Arguments.of("an unknown topic for a stream", "no.such.topic", NDJSON, fine, 404, "no such topic"));
    }

    @ParameterizedTest(name = "{0}: {4}")
    @MethodSource("refused")
    void refusesAWrongRequest(String what, String topic, String contentType, String body, int status, String error) {
        int before = records(CREATED).size();

        HttpResponse<String> answer = post("/api/topics/" + topic + "/events", contentType, body);

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        JsonNode problem = json(answer.body());
        assertThat(problem.path("error").asText()).contains(error);
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(answer.headers().firstValue("X-Correlation-Id"))
                .contains(problem.path("correlationId").asText());
        assertThat(records(CREATED)).hasSize(before);
    }

    @Test
    void refusesHostileQueryParameters() {
        HttpResponse<String> answer = post(
                "/api/topics/" + CREATED + "/events?kafka.OVERRIDE_TOPIC=evil&CamelKafkaOverrideTopic=evil&topic=evil",
                JSON,
                prescription(id));

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText())
                .isEqualTo("a query parameter: is not known; there are none; and 2 more");
        assertThat(recordsOf(CREATED, id)).isEmpty();
    }

    @Test
    void ignoresHostileHeaders() {
        HttpResponse<String> answer = post(
                "/api/topics/" + CREATED + "/events",
                JSON,
                prescription(id),
                "kafka.OVERRIDE_TOPIC",
                "evil",
                "kafka.KEY",
                "evil",
                "CamelHttpUri",
                "http://evil.invalid/",
                "cAMELsQLqUERY",
                "drop table activity",
                "CamelBeanMethodName",
                "evil",
                "Long-Running-Action",
                "http://evil.invalid/saga",
                "tenant",
                "evil",
                "correlation-id",
                "evil",
                "X-Unknown",
                "x");

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(json(answer.body()).path("topic").asText()).isEqualTo(CREATED);
        ConsumerRecord<byte[], byte[]> record = recordsOf(CREATED, id).get(0);
        assertThat(header(record, "tenant")).isEqualTo("default");
        assertThat(header(record, "correlation-id")).isNotEqualTo("evil");
        assertThat(record.headers().lastHeader("X-Unknown")).isNull();
    }

    @Test
    void refusesAMalformedCorrelationId() {
        HttpResponse<String> answer =
                post("/api/topics/" + CREATED + "/events", JSON, prescription(id), "X-Correlation-Id", "a\tb");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText()).isEqualTo("header X-Correlation-Id is malformed");
        assertThat(recordsOf(CREATED, id)).isEmpty();
    }

    @Test
    void deadLettersPoisonWithItsBytesAndHeaders() {
        byte[] poison = {'{', (byte) 0xff, 0, '"'};
        send(
                CREATED,
                id,
                poison,
                Map.of("correlation-id", "visit-1", "x-unknown", "kept", "kafka.OVERRIDE_TOPIC", "evil"));
        send(CREATED, id, bytes(envelope(UUID.randomUUID(), id, 1)), Map.of());

        awaitOrders(1);
        await().untilAsserted(() -> assertThat(recordsOf(CREATED + ".dlq", id)).hasSize(1));
        ConsumerRecord<byte[], byte[]> letter = recordsOf(CREATED + ".dlq", id).get(0);
        assertThat(letter.value()).isEqualTo(poison);
        assertThat(header(letter, "correlation-id")).isEqualTo("visit-1");
        assertThat(header(letter, "x-unknown")).isEqualTo("kept");
        assertThat(header(letter, "original-topic")).isEqualTo(CREATED);
        assertThat(header(letter, "original-partition")).matches("[0-5]");
        assertThat(header(letter, "original-offset")).matches("\\d+");
        assertThat(header(letter, "error-message")).isEqualTo("not valid JSON: not UTF-8");
        assertThat(header(letter, "error-stack")).startsWith("routes.platform.error.MalformedJsonException\n\tat ");
        assertThat(header(letter, "timestamp")).matches("\\d{13}");
        assertThat(header(letter, "consumer-group")).isEqualTo("pharmacy-prescription-processor");
        assertThat(UUID.fromString(header(letter, "dead-letter-id")).version()).isEqualTo(5);
        await().untilAsserted(() -> assertThat(management("/observe/metrics").body())
                .containsPattern("event_broker_records_skipped_total\\{.*topic=\"" + CREATED + "\".*\\}"));
    }

    @Test
    void retriesWhileTheDatabaseIsDown() {
        int letters = records(CREATED + ".dlq").size();
        SERVERS.postgres().kill();
        try {
            send(CREATED, id, bytes(envelope(UUID.randomUUID(), id, 1)), Map.of());
            HttpResponse<String> answer = get("/api/pharmacy-orders");
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("Retry-After")).isPresent();
            await().untilAsserted(() ->
                    assertThat(management("/observe/health/ready").statusCode()).isEqualTo(503));
            assertThat(management("/observe/health/live").statusCode()).isEqualTo(200);
        } finally {
            SERVERS.postgres().start();
        }

        awaitOrders(1);
        await().untilAsserted(() ->
                assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200));
        assertThat(records(CREATED + ".dlq")).hasSize(letters);
    }

    @Test
    void answers503WhileTheBrokerIsSilent() {
        SERVERS.kafka().suspend();
        try {
            HttpResponse<String> answer = post("/api/topics/" + CREATED + "/events", JSON, prescription(id));
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(management("/observe/health/ready").statusCode()).isEqualTo(503);
        } finally {
            SERVERS.kafka().resume();
        }

        await().untilAsserted(() -> assertThat(post("/api/topics/" + CREATED + "/events", JSON, prescription(id + "-2"))
                        .statusCode())
                .isEqualTo(202));
    }

    @Test
    void retriesPoisonWhileItsDeadLetterTopicIsMissing() throws Exception {
        byte[] poison = bytes("{poison " + id);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers()))) {
            var deleted = admin.describeTopics(List.of(UPDATED + ".dlq"))
                    .allTopicNames()
                    .get()
                    .get(UPDATED + ".dlq");
            admin.deleteTopics(List.of(UPDATED + ".dlq")).all().get();
            send(UPDATED, id, poison, Map.of());
            send(UPDATED, id, bytes(envelope(UUID.randomUUID(), id, 1)), Map.of());
            await("the first attempt to dead-letter it has failed")
                    .during(Duration.ofSeconds(12))
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(json(get("/api/pharmacy-orders?patientId=" + patient)
                                    .body()))
                            .isEmpty());
            Topics.create(admin, deleted.partitions().size(), UPDATED + ".dlq");
        }

        awaitOrders(1);
        assertThat(recordsOf(UPDATED + ".dlq", id)).hasSize(1).allSatisfy(letter -> assertThat(letter.value())
                .isEqualTo(poison));
    }

    @Test
    void readsARecordWhoseHeaderIsNull() {
        UUID event = UUID.randomUUID();
        send(CREATED, id, bytes(envelope(event, id, 1)), Collections.singletonMap("correlation-id", null));

        assertThat(awaitOrders(1).at("/0/eventId").asText()).isEqualTo(event.toString());
    }

    @Test
    void pagesThroughAListWithItsLinks() {
        for (int i = 0; i < 3; i++) {
            post("/api/topics/" + CREATED + "/events", JSON, prescription(id + i));
        }
        awaitOrders(3);

        HttpResponse<String> first = get("/api/pharmacy-orders?limit=2&patientId=" + patient);
        HttpResponse<String> second = get(next(first));

        assertThat(json(first.body())).hasSize(2);
        assertThat(json(second.body())).hasSize(1);
        assertThat(second.headers().firstValue("Link")).isEmpty();
        assertThat(json(get("/api/pharmacy-orders?limit=501").body())
                        .path("error")
                        .asText())
                .isEqualTo("query parameter limit: must be at most 500");
    }

    private JsonNode awaitOrders(int count) {
        await().untilAsserted(() -> assertThat(
                        json(get("/api/pharmacy-orders?patientId=" + patient).body()))
                .hasSize(count));
        return json(get("/api/pharmacy-orders?patientId=" + patient).body());
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic, String key) {
        return records(topic).stream()
                .filter(record -> key.equals(text(record.key())))
                .toList();
    }

    private String prescription(String id) {
        return """
                {"id":"%s","patientId":"%s","prescriberId":"9999991695","medication":{"name":"Amoxicilline à 500 mg"},"quantity":21.50}"""
                .formatted(id, patient);
    }

    private String envelope(UUID eventId, String id, long timestamp) {
        return """
                {"metadata":{"eventId":"%s","eventType":"medication.prescription.created","eventSource":"medication-service",\
                "timestamp":%d,"correlationId":"visit-1","security":{"principal":"dr-1","tenant":"default"}},"payload":%s}"""
                .formatted(eventId, timestamp, prescription(id));
    }
}
