package routes.pubsub;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import routes.NodeClients;
import routes.RuntimeIT;

/** Tests that Node services with kafkajs exchange events with the runtime unchanged. */
class KafkaJsIT extends RuntimeIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String UPDATED = "medication.prescription.updated";
    private static final String DEAD = CREATED + ".dlq";
    private static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";
    private static final Set<String> HEADERS =
            Set.of("content-type", "event-source", "event-type", "correlation-id", "causation-id", "tenant");

    private final String id = "rx-" + UUID.randomUUID();
    private final String patient = "patient-" + UUID.randomUUID();

    @BeforeAll
    static void setTimeout() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30));
    }

    // before each, not before all: else reports omit skipped tests and the reason
    @BeforeEach
    void install() {
        NodeClients.install();
    }

    @Test
    void queuesTheMinimalEventOfANodeService() {
        JsonNode created = publish(CREATED, List.of(id)).get(0);

        JsonNode order = awaitOrders(1).get(0);
        assertThat(order.path("prescriptionId").asText()).isEqualTo(id);
        assertThat(order.path("prescription")).isEqualTo(created.at("/event/payload"));
        assertThat(order.at("/prescription/medication/name").asText()).isEqualTo("Amoxicilline à 500 mg, gélule");
        assertThat(order.at("/prescription/prescriberId").isNull()).isTrue();
        assertThat(order.at("/prescription/substitutionAllowed").asBoolean()).isTrue();
        assertThat(order.path("correlationId")).isEqualTo(order.path("eventId"));
        awaitJourney(created, CREATED);
    }

    @Test
    void updatesTheOrderOfANodeService() {
        JsonNode created = publish(CREATED, List.of(id)).get(0);
        awaitOrders(1);
        JsonNode updated = publish(
                        UPDATED,
                        List.of(id),
                        "--payload",
                        """
                        {"dosageInstruction":"Une g\\u00e9lule \\u00e0 midi","daysSupply":null}""",
                        "--metadata",
                        """
                        {"correlationId":null,"causationId":"%s","security":null,"hop":{"n":1}}"""
                                .formatted(created.at("/event/metadata/eventId").asText()))
                .get(0);

        await().untilAsserted(() -> assertThat(orders().at("/0/eventId")).isEqualTo(eventId(updated)));
        JsonNode order = awaitOrders(1).get(0);
        assertThat(order.path("prescription")).isEqualTo(updated.at("/event/payload"));
        assertThat(order.at("/prescription/dosageInstruction").asText()).isEqualTo("Une gélule à midi");
        assertThat(order.path("correlationId")).isEqualTo(order.path("eventId"));
        JsonNode activity = awaitJourney(updated, UPDATED);
        assertThat(activity.path("causationId")).isEqualTo(eventId(created));
    }

    @Test
    void appliesADuplicateOfANodeServiceOnce() {
        List<JsonNode> sent = publish(CREATED, List.of(id), "--times", "3");
        // on the same partition: once this event is handled, the three before it are too
        byte[] last = bytes(text(recordsOf(CREATED, id).get(0).value())
                .replace(eventId(sent.get(0)).asText(), UUID.randomUUID().toString())
                .replace(id, id + "-last"));
        send(CREATED, id, last, Map.of());

        assertThat(sent).hasSize(3);
        JsonNode orders = awaitOrders(2);
        assertThat(orders.at("/1/prescriptionId").asText()).isEqualTo(id);
        assertThat(orders.at("/1/updatedAt")).isEqualTo(orders.at("/1/receivedAt"));
        JsonNode activity = awaitJourney(sent.get(0), CREATED);
        assertThat(activity.path("offset").asText())
                .isEqualTo(sent.get(0).path("offset").asText());
    }

    @Test
    void letsANodeServiceConsumeAnEventPublishedOverHttp() {
        HttpResponse<String> answer =
                post("/api/topics/" + CREATED + "/events", JSON, prescription(id), "X-Correlation-Id", "visit-" + id);

        JsonNode record = consume(CREATED, id, 1).lines().get(0);
        assertThat(record.path("key").asText()).isEqualTo(id);
        assertReadable(record);
        assertThat(record.at("/headers/content-type").asText()).isEqualTo("application/json");
        assertThat(record.at("/headers/event-source").asText()).isEqualTo("medication-service");
        assertThat(record.at("/headers/event-type").asText()).isEqualTo(CREATED);
        assertThat(record.at("/headers/correlation-id").asText()).isEqualTo("visit-" + id);
        assertThat(record.at("/headers/tenant").asText()).isEqualTo("default");
        assertThat(record.at("/event/payload")).isEqualTo(json(prescription(id)));
        assertThat(record.at("/event/metadata/eventId"))
                .isEqualTo(json(answer.body()).path("eventId"));
        assertThat(record.at("/event/metadata/timestamp").isIntegralNumber()).isTrue();
    }

    @Test
    void sendsHeadersInUtf8() {
        String event =
                """
                {"metadata":{"eventId":"%s","eventType":"%s","eventSource":"médication","timestamp":1,"correlationId":"visité-%s"},"payload":%s}"""
                        .formatted(UUID.randomUUID(), CREATED, id, prescription(id));

        post("/api/topics/" + CREATED + "/events", JSON, event);

        JsonNode record = consume(CREATED, id, 1).lines().get(0);
        assertReadable(record);
        assertThat(record.at("/headers/event-source").asText()).isEqualTo("médication");
        assertThat(record.at("/headers/correlation-id").asText()).isEqualTo("visité-" + id);
    }

    @Test
    void letsANodeServiceConsumeAStreamPublishedOverHttpInGzip() {
        int lines = 600;
        String stream = IntStream.range(0, lines)
                .mapToObj(line -> prescription(id + "-" + line))
                .collect(Collectors.joining("\n"));

        HttpResponse<String> answer =
                post("/api/topics/" + CREATED + "/events", NDJSON, stream, "X-Correlation-Id", "visit-" + id);
        NodeClients.Run run = consume(CREATED, id, lines);

        assertThat(json(answer.body()).path("accepted").asInt()).isEqualTo(lines);
        assertThat(run.log()).containsPattern("unpacked [1-9]\\d* gzip batches");
        run.lines().forEach(record -> {
            assertReadable(record);
            assertThat(record.at("/headers/correlation-id").asText()).isEqualTo("visit-" + id);
            assertThat(record.at("/headers/event-type").asText()).isEqualTo(CREATED);
            assertThat(record.path("key")).isEqualTo(record.at("/event/payload/id"));
        });
        assertThat(run.lines().stream().map(record -> record.path("key").asText()))
                .doesNotHaveDuplicates()
                .hasSize(lines);
    }

    @Test
    void partitionsKeysAsANodeServiceDoes() {
        List<String> ids = new ArrayList<>(IntStream.range(0, 50)
                .mapToObj(n -> id + "-" + "x".repeat(n % 4) + n)
                .toList());
        List<JsonNode> sent = new ArrayList<>(publish(CREATED, ids));
        sent.addAll(publish(
                CREATED, List.of(id), "--payload", """
                {"id":"%s-\\u00e9\\u00e9"}""".formatted(id)));
        ids.add(id + "-éé");

        HttpResponse<String> answer = post(
                "/api/topics/" + CREATED + "/events",
                NDJSON,
                ids.stream().map(this::prescription).collect(Collectors.joining("\n")));

        assertThat(json(answer.body()).path("accepted").asInt()).isEqualTo(51);
        assertThat(sent.stream().map(record -> record.path("partition").asInt()).distinct())
                .hasSizeGreaterThan(1);
        Map<String, Set<Integer>> partitions = records(CREATED).stream()
                .filter(record -> text(record.key()).startsWith(id))
                .collect(groupingBy(record -> text(record.key()), mapping(ConsumerRecord::partition, toSet())));
        assertThat(partitions)
                .containsExactlyInAnyOrderEntriesOf(sent.stream()
                        .collect(Collectors.toMap(
                                record -> record.path("key").asText(),
                                record -> Set.of(record.path("partition").asInt()))));
        assertThat(records(CREATED).stream().filter(record -> text(record.key()).startsWith(id)))
                .hasSize(102);
    }

    @Test
    void letsANodeServiceReadItsDeadLetter() {
        byte[] poison = HexFormat.of().parseHex("7bff00220d0ac3a9f09f928a");
        JsonNode sent = publishRaw(
                "--base64",
                Base64.getEncoder().encodeToString(poison),
                "--headers",
                """
                {"content-type":"application/json","event-source":"m\\u00e9dication","x-unknown":"kept","x-twice":["first","second"],\
                "Timestamp":"yesterday","X-Case":"A","x-case":"b","empty":""}""");
        JsonNode next = publish(CREATED, List.of(id)).get(0);

        assertThat(awaitOrders(1).at("/0/eventId")).isEqualTo(eventId(next));
        JsonNode letter = consume(DEAD, id, 1).lines().get(0);
        assertThat(letter.path("key").asText()).isEqualTo(id);
        assertThat(letter.path("sha256").asText()).isEqualTo(sha256(poison));
        assertDeadLetter(letter, sent);
        JsonNode headers = letter.path("headers");
        assertThat(headers.path("content-type").asText()).isEqualTo("application/json");
        assertThat(headers.path("event-source").asText()).isEqualTo("médication");
        assertThat(headers.path("x-unknown").asText()).isEqualTo("kept");
        assertThat(headers.path("x-twice")).isEqualTo(json("""
                ["first","second"]"""));
        assertThat(headers.path("Timestamp").asText()).isEqualTo("yesterday");
        assertThat(headers.path("X-Case").asText()).isEqualTo("A");
        assertThat(headers.path("x-case").asText()).isEqualTo("b");
        assertThat(headers.path("empty").asText("null")).isEmpty();
    }

    @Test
    void deadLettersATombstoneBetweenOtherRecords() {
        JsonNode before = publish(CREATED, List.of(id)).get(0);
        JsonNode sent = publishRaw("--headers", """
                {"event-type":"%s"}""".formatted(CREATED));
        JsonNode after = publish(CREATED, List.of(id)).get(0);

        JsonNode letter = consume(DEAD, id, 1).lines().get(0);
        assertThat(letter.path("base64").isNull()).isTrue();
        assertThat(letter.at("/headers/event-type").asText()).isEqualTo(CREATED);
        assertDeadLetter(letter, sent);
        await().untilAsserted(() -> assertThat(orders().at("/0/eventId")).isEqualTo(eventId(after)));
        awaitOrders(1);
        awaitJourney(before, CREATED);
        awaitJourney(after, CREATED);
        assertThat(recordsOf(DEAD, id)).hasSize(1);
    }

    /** Asserts the headers that every dead letter adds, all of them text. */
    private static void assertDeadLetter(JsonNode letter, JsonNode sent) {
        JsonNode headers = letter.path("headers");
        assertThat(headers.path("original-topic").asText()).isEqualTo(CREATED);
        assertThat(headers.path("original-partition").asText())
                .isEqualTo(sent.path("partition").asText());
        assertThat(headers.path("original-offset").asText())
                .isEqualTo(sent.path("offset").asText());
        assertThat(headers.path("error-message").asText()).isNotEmpty();
        assertThat(bytes(headers.path("error-stack").asText())).hasSizeBetween(1, 8 * 1024);
        assertThat(headers.path("timestamp").asText()).matches("\\d{13}");
        assertThat(headers.path("consumer-group").asText()).isEqualTo("pharmacy-prescription-processor");
        assertThat(headers.path("dead-letter-id").asText()).hasSize(36);
        assertThat(headers).noneMatch(JsonNode::isNull);
    }

    /** Asserts one text per header of the contract, and a value in JSON. */
    private static void assertReadable(JsonNode record) {
        assertThat(names(record.path("headers"))).isEqualTo(HEADERS);
        assertThat(record.path("headers"))
                .allSatisfy(header -> assertThat(header.asText()).isNotEmpty());
        assertThat(record.path("event").isObject()).isTrue();
        assertThat(record.at("/event/payload/medication/name").asText()).isEqualTo("Amoxicilline à 500 mg");
    }

    /** @param more options in ASCII: Java 17 encodes them with the charset of the machine */
    private List<JsonNode> publish(String topic, List<String> ids, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("--broker", brokers(), "--topic", topic, "--patient", patient));
        ids.forEach(each -> arguments.addAll(List.of("--id", each)));
        arguments.addAll(List.of(more));
        return NodeClients.run("medication-service.js", arguments).lines();
    }

    private JsonNode publishRaw(String... more) {
        List<String> arguments = new ArrayList<>(List.of("--broker", brokers(), "--topic", CREATED, "--key", id));
        arguments.addAll(List.of(more));
        return NodeClients.run("raw-producer.js", arguments).lines().get(0);
    }

    private static NodeClients.Run consume(String topic, String prefix, int count) {
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
                        prefix,
                        "--count",
                        String.valueOf(count)));
    }

    private JsonNode orders() {
        return json(get("/api/pharmacy-orders?patientId=" + patient).body());
    }

    private JsonNode awaitOrders(int count) {
        await().untilAsserted(() -> assertThat(orders()).hasSize(count));
        return orders();
    }

    /** Returns the activity of an event without a correlation id: the event's own id takes its place. */
    private JsonNode awaitJourney(JsonNode sent, String topic) {
        String path = "/api/activity?correlationId=" + eventId(sent).asText();
        await().untilAsserted(() -> assertThat(json(get(path).body())).hasSize(1));
        JsonNode activity = json(get(path).body()).get(0);
        assertThat(activity.path("eventId")).isEqualTo(eventId(sent));
        assertThat(activity.path("topic").asText()).isEqualTo(topic);
        assertThat(activity.path("partition")).isEqualTo(sent.path("partition"));
        assertThat(activity.path("timestamp")).isEqualTo(sent.at("/event/metadata/timestamp"));
        return activity;
    }

    private static JsonNode eventId(JsonNode sent) {
        return sent.at("/event/metadata/eventId");
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic, String key) {
        return records(topic).stream()
                .filter(record -> key.equals(text(record.key())))
                .toList();
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new HashSet<>();
        for (Iterator<String> fields = object.fieldNames(); fields.hasNext(); ) {
            names.add(fields.next());
        }
        return names;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private String prescription(String id) {
        return """
                {"id":"%s","patientId":"%s","prescriberId":null,"medication":{"name":"Amoxicilline à 500 mg"},"quantity":21}"""
                .formatted(id, patient);
    }
}
