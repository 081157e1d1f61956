package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.web.util.UriUtils;
import routes.RuntimeIT;
import routes.platform.avro.AvroCodec;

/** Tests the view and history of patients, and rebuilds, against the real servers. */
class ProjectionIT extends RuntimeIT {

    private static final String TOPIC = "patient.events";
    private static final String CREATED = "patient.profile.created";
    private static final String UPDATED = "patient.profile.updated";
    private static final String ADDRESS = "patient.address.updated";
    private static final String VIEW = "/api/projections/patient-view";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static KafkaProducer<byte[], byte[]> producer;

    @Autowired
    private AvroCodec avro;

    @BeforeAll
    static void connect() {
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers(), "linger.ms", 5),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    @AfterAll
    static void disconnect() {
        producer.close();
    }

    @Test
    void showsTheStateThatEventsDescribe() throws Exception {
        String id = patient();
        publish(id, CREATED, 1000, Map.of("firstName", "Zoë", "lastName", "Núñez", "gender", "female"));
        publish(id, ADDRESS, 2000, Map.of("street", "1 Main St", "city", "Springfield", "reason", "moved"));
        publish(id, "patient.nickname.given", 2500, Map.of("firstName", "nobody"));
        publish(id, UPDATED, 3000, Map.of("lastName", "Müller"));
        awaitEvents(id, 4);

        HttpResponse<String> answer = get("/api/patients/" + id);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(json(answer.body()))
                .isEqualTo(json(
                        """
                                {"id":"%s","firstName":"Zoë","lastName":"Müller","middleName":null,"dateOfBirth":null,"gender":"female",
                                 "phone":null,"email":null,"language":null,
                                 "address":{"street":"1 Main St","city":"Springfield","state":null,"postalCode":null,"country":null},
                                 "mergedInto":null,"deceasedAt":null,"createdAt":1000,"addressUpdatedAt":2000}"""
                                .formatted(id)));
    }

    @Test
    void showsNoAddressUntilAnEventSetsOne() throws Exception {
        String id = patient();
        publish(id, CREATED, 1000, Map.of("firstName", "Zoë"));
        publish(id, ADDRESS, 2000, Map.of("country", "CA"));
        awaitEvents(id, 2);

        JsonNode before = json(get("/api/patients/" + id + "?asOf=1500").body());
        JsonNode now = json(get("/api/patients/" + id).body());

        assertThat(before.path("address")).isEqualTo(NullNode.getInstance());
        assertThat(now.path("address"))
                .isEqualTo(
                        json(
                                """
                                {"street":null,"city":null,"state":null,"postalCode":null,"country":"CA"}"""));
    }

    @Test
    void findsAPatientWithAnIdThatNeedsEncoding() throws Exception {
        String id = "zoë müller+1 " + UUID.randomUUID();
        publish(id, CREATED, 1000, Map.of("lastName", "found"));
        awaitEvents(id, 1);

        String path = "/api/patients/" + UriUtils.encode(id, StandardCharsets.UTF_8);

        HttpResponse<String> answer = get(path);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(json(answer.body()).path("id").asText()).isEqualTo(id);
        assertThat(json(get(path + "/events").body())).hasSize(1);
        assertThat(rebuild("?id=" + UriUtils.encode(id, StandardCharsets.UTF_8))
                        .path("eventsDone")
                        .asLong())
                .isPositive();
    }

    @Test
    void showsAPatientAsOfAnInstant() throws Exception {
        String id = patient();
        publish(id, CREATED, 1_700_000_000_000L, Map.of("lastName", "first"));
        publish(id, UPDATED, 1_700_000_001_000L, Map.of("lastName", "second"));
        awaitEvents(id, 2);

        assertThat(lastName(id, "1700000000000")).isEqualTo("first");
        assertThat(lastName(id, "1700000000999")).isEqualTo("first");
        assertThat(lastName(id, "2023-11-14T22:13:21Z")).isEqualTo("second");
        assertThat(lastName(id, "2023-11-14T23:13:21%2B01:00")).isEqualTo("second");
        assertThat(get("/api/patients/" + id + "?asOf=1699999999999").statusCode())
                .isEqualTo(404);
        HttpResponse<String> malformed = get("/api/patients/" + id + "?asOf=yesterday");
        assertThat(malformed.statusCode()).isEqualTo(400);
        assertThat(json(malformed.body()).path("error").asText())
                .isEqualTo("query parameter asOf: must be epoch milliseconds, or a time such as 2026-01-31T08:30:00Z");
    }

    @Test
    void listsTheHistoryOldestFirstPageByPage() throws Exception {
        String id = patient();
        publish(id, CREATED, 1000, Map.of("lastName", "a", "reason", "walk-in"));
        publish(id, "patient.nickname.given", 2000, Map.of("firstName", "b"));
        // the producer's clock was slow: the log decides the order
        publish(id, UPDATED, 1500, Map.of("lastName", "c"));
        publish(id, UPDATED, 4000, Map.of("lastName", "d"));
        awaitEvents(id, 4);
        String list = "/api/patients/" + id + "/events";

        JsonNode all = json(get(list).body());
        assertThat(all.findValuesAsText("timestamp")).containsExactly("1000", "2000", "1500", "4000");
        assertThat(all.get(0).path("data").toString())
                .isEqualTo("""
                {"reason":"walk-in","lastName":"a"}""");
        assertThat(all.get(1).path("type").asText()).isEqualTo("patient.nickname.given");

        List<String> paged = new ArrayList<>();
        for (String next = list + "?limit=1"; next != null; ) {
            HttpResponse<String> page = get(next);
            paged.addAll(json(page.body()).findValuesAsText("timestamp"));
            next = next(page);
        }
        assertThat(paged).containsExactly("1000", "2000", "1500", "4000");
        assertThat(json(get(list + "?from=1500&to=4000").body()).findValuesAsText("timestamp"))
                .containsExactly("2000", "1500");
        assertThat(json(get(list + "?type=" + UPDATED).body()).findValuesAsText("timestamp"))
                .containsExactly("1500", "4000");
        assertThat(json(get(list + "?type=none").body())).isEmpty();
        assertThat(get(list + "?cursor=x").statusCode()).isEqualTo(400);
    }

    @Test
    void answers404WithoutEventsOfTheTenant() throws Exception {
        String id = patient();
        publish(id, UUID.randomUUID(), CREATED, 1000, "other", Map.of("lastName", "theirs"));
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(asOther("/api/patients/" + id).statusCode()).isEqualTo(200));

        for (String path : List.of("", "?asOf=5000", "/events")) {
            HttpResponse<String> answer = get("/api/patients/" + id + path);
            assertThat(answer.statusCode()).as(path).isEqualTo(404);
            assertThat(json(answer.body()).path("error").asText()).isEqualTo("no such patient");
        }
    }

    @Test
    void countsADuplicateEventOnce() throws Exception {
        String id = patient();
        UUID event = UUID.randomUUID();
        publish(id, event, CREATED, 1000, "default", Map.of("lastName", "first"));
        publish(id, UPDATED, 2000, Map.of("lastName", "second"));
        publish(id, event, CREATED, 1000, "default", Map.of("lastName", "first"));
        String after = patient();
        publish(after, CREATED, 1000, Map.of());
        awaitEvents(after, 1);
        awaitEvents(id, 2);

        assertThat(json(get("/api/patients/" + id).body()).path("lastName").asText())
                .isEqualTo("second");
    }

    @Test
    void deadLettersPoisonAndContinues() throws Exception {
        String id = patient();
        publish(id, CREATED, 1000, Map.of("lastName", "before"));
        send(id, bytes("{}"), null);
        publish(id, UPDATED, 2000, Map.of("lastName", "a\0b"));
        publish(null, UPDATED, 2000, Map.of("lastName", id));
        publish(id, UPDATED, 3000, Map.of("firstName", "behind"));
        awaitEvents(id, 2);

        await().atMost(PATIENCE).untilAsserted(() -> assertThat(records(TOPIC + ".dlq"))
                .filteredOn(record -> record.key() != null && text(record.key()).equals(id))
                .extracting(record -> header(record, "error-message"))
                .containsExactlyInAnyOrder(
                        "does not begin with byte 0, expected Avro in Confluent's wire format",
                        "a text has the character U+0000, which the database cannot hold"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(records(TOPIC + ".dlq"))
                .anyMatch(record -> "the record has no key".equals(header(record, "error-message"))));
    }

    @Test
    void findsAndRepairsDifferencesFromTheLog() throws Exception {
        String damaged = patient();
        String lost = patient();
        String ghost = patient();
        String whole = patient();
        for (String id : List.of(damaged, lost, whole)) {
            publish(id, CREATED, 1000, Map.of("lastName", "right"));
            awaitEvents(id, 1);
        }
        send(whole, bytes("poison"), null);
        jdbc.sql(
                        """
                update patient_view set view = view || '{"lastName":"wrong"}' where patient_id = ?""")
                .param(damaged)
                .update();
        jdbc.sql("delete from patient_event where patient_id = ?").param(lost).update();
        jdbc.sql("insert into patient_view values ('default', ?, '{}', 0, 0)")
                .param(ghost)
                .update();

        JsonNode compared = rebuild("?dryRun=true&reason=audit");
        assertThat(compared.path("state").asText()).isEqualTo("LIVE");
        assertThat(compared.path("dryRun").asBoolean()).isTrue();
        assertThat(compared.path("reason").asText()).isEqualTo("audit");
        assertThat(compared.path("startedBy").asText()).isEqualTo("sandbox");
        assertThat(compared.path("differences").asInt()).isEqualTo(3);
        assertThat(texts(compared.path("differingIds"))).containsExactlyInAnyOrder(damaged, lost, ghost);
        JsonNode seenByOthers = json(exchange(HttpRequest.newBuilder(uri("/api/projections/patient-view"))
                        .header("Authorization", TOKENS.of("other")))
                .body());
        assertThat(seenByOthers.path("differences").asInt()).isEqualTo(3);
        assertThat(texts(seenByOthers.path("differingIds"))).isEmpty();
        assertThat(seenByOthers.path("startedBy").isNull()).isTrue();
        assertThat(seenByOthers.path("reason").isNull()).isTrue();
        assertThat(json(get("/api/patients/" + damaged).body()).path("lastName").asText())
                .isEqualTo("wrong");

        JsonNode mended = rebuild("");
        assertThat(mended.path("differences").asInt()).isEqualTo(3);
        assertThat(mended.path("eventsDone").asLong())
                .isEqualTo(mended.path("eventsTotal").asLong())
                .isPositive();
        assertThat(mended.path("poisonSkipped").asLong()).isPositive();
        assertThat(json(get("/api/patients/" + damaged).body()).path("lastName").asText())
                .isEqualTo("right");
        assertThat(json(get("/api/patients/" + lost + "/events").body())).hasSize(1);
        assertThat(get("/api/patients/" + ghost).statusCode()).isEqualTo(404);
        assertThat(rebuild("?dryRun=true").path("differences").asInt()).isZero();

        // projecting continues on the rebuilt tables
        publish(damaged, UPDATED, 2000, Map.of("lastName", "later"));
        awaitEvents(damaged, 2);
        assertThat(json(get("/api/patients/" + damaged).body()).path("lastName").asText())
                .isEqualTo("later");
    }

    @Test
    void replaysOnePatientOrARangeOfTime() throws Exception {
        String one = patient();
        String early = patient();
        String late = patient();
        // a range of time that no other test uses
        long time = 100_000_000_000L + System.nanoTime() % 1_000_000_000_000L;
        publish(one, CREATED, 1000, Map.of("lastName", "right"));
        publish(early, CREATED, time, Map.of("lastName", "right"));
        publish(early, UPDATED, time + 5000, Map.of("firstName", "too"));
        publish(late, CREATED, time + 1000, Map.of("lastName", "right"));
        awaitEvents(one, 1);
        awaitEvents(early, 2);
        awaitEvents(late, 1);
        for (String id : List.of(one, early, late)) {
            damage(id);
        }

        JsonNode ofOne = rebuild("?id=" + one);
        assertThat(ofOne.path("differences").asInt()).isEqualTo(1);
        assertThat(ofOne.at("/filter/id").asText()).isEqualTo(one);
        assertThat(texts(ofOne.path("differingIds"))).containsExactly(one);
        assertThat(lastName(one, "9000")).isEqualTo("right");
        assertThat(name(early)).isEqualTo("wrong");

        JsonNode ofRange = rebuild("?from=" + time + "&to=" + (time + 1000));
        assertThat(texts(ofRange.path("differingIds"))).containsExactly(early);
        assertThat(name(early)).isEqualTo("right");
        assertThat(json(get("/api/patients/" + early).body()).path("firstName").asText())
                .isEqualTo("too");
        assertThat(name(late)).isEqualTo("wrong");

        assertThat(texts(rebuild("?id=" + late).path("differingIds"))).containsExactly(late);
        assertThat(rebuild("?id=nobody").path("differences").asInt()).isZero();
    }

    @Test
    void foldsTheLogDuringARebuildUnderLoad() throws Exception {
        Random random = new Random(7);
        String run = UUID.randomUUID().toString();
        Map<String, String> last = new HashMap<>();
        post(VIEW + "/rebuild", "application/json", "");
        for (int i = 0; i < 6000; i++) {
            String id = run + "-" + random.nextInt(200);
            if (random.nextInt(100) == 0) {
                send(id, bytes("poison " + i), null);
                continue;
            }
            UUID event = UUID.randomUUID();
            for (int times = random.nextInt(20) == 0 ? 2 : 1; times > 0; times--) {
                publish(id, event, UPDATED, 1000 + random.nextInt(1000), "default", Map.of("lastName", "n" + i));
            }
            last.put(id, "n" + i);
            if (i % 2000 == 1000) {
                awaitRebuilt();
                post(VIEW + "/rebuild", "application/json", "");
            }
        }
        producer.flush();
        awaitRebuilt();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                        jdbc.sql("select patient_id, view ->> 'lastName' from patient_view where patient_id like ?")
                                .param(run + "-%")
                                .query((row, n) -> Map.entry(row.getString(1), row.getString(2)))
                                .list())
                .containsExactlyInAnyOrderElementsOf(last.entrySet()));

        assertThat(rebuild("?dryRun=true").path("differences").asInt()).isZero();
    }

    @Test
    void rebuildsFromCommittedRecordsOnly() throws Exception {
        String id = patient();
        try (KafkaProducer<byte[], byte[]> transactional = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers(), "transactional.id", id),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            transactional.initTransactions();
            transactional.beginTransaction();
            transactional.send(record(id, CREATED, "committed"));
            transactional.commitTransaction();
            transactional.beginTransaction();
            transactional.send(record(id, UPDATED, "aborted"));
            transactional.flush();
            transactional.abortTransaction();
            awaitEvents(id, 1);
            awaitNoLag();
            assertThat(name(id)).isEqualTo("committed");

            transactional.beginTransaction();
            transactional.send(record(id, UPDATED, "open"));
            transactional.flush();
            publish(id, ADDRESS, 2000, Map.of("city", "behind it"));
            producer.flush();
            assertThat(rebuild("?dryRun=true").path("differences").asInt()).isZero();
            assertThat(name(id)).isEqualTo("committed");
            transactional.commitTransaction();
        }
        awaitEvents(id, 3);
        awaitNoLag();
        assertThat(name(id)).isEqualTo("open");
        assertThat(rebuild("?dryRun=true").path("differences").asInt()).isZero();
        assertThat(rebuild("").path("differences").asInt()).isZero();
    }

    private ProducerRecord<byte[], byte[]> record(String id, String type, String lastName) throws Exception {
        return new ProducerRecord<>(
                TOPIC,
                bytes(id),
                avro.encode(Samples.record(UUID.randomUUID(), type, 1000, "default", Map.of("lastName", lastName))));
    }

    private void awaitNoLag() {
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(json(get(VIEW).body()).path("lag").asLong()).isZero());
    }

    @Test
    void rebuildsOneAtATime() {
        assertThat(get("/api/projections/none").statusCode()).isEqualTo(404);
        assertThat(post("/api/projections/none/rebuild", "application/json", "").statusCode())
                .isEqualTo(404);
        assertThat(post(VIEW + "/rebuild?dryrun=true", "application/json", "").statusCode())
                .isEqualTo(400);
        assertThat(post(VIEW + "/rebuild?id=a&from=1", "application/json", "").statusCode())
                .isEqualTo(400);
        awaitRebuilt();
        List<Integer> answers = StreamSupport.stream(List.of(1, 2, 3, 4).spliterator(), true)
                .map(i -> post(VIEW + "/rebuild?dryRun=true", "application/json", "")
                        .statusCode())
                .toList();

        assertThat(answers).contains(202).allMatch(status -> status == 202 || status == 409);
        awaitRebuilt();
        assertThat(json(get(VIEW).body()).path("lag").asLong()).isNotNegative();
    }

    private static String patient() {
        return "patient-" + UUID.randomUUID();
    }

    @Test
    void readsAndPagesAPatientWithAnyKey() throws Exception {
        List<String> ids = Stream.of(
                        "/", "\\", ";a=b", "%2F", "//..", "?#", "+ ~", "\u2028", "\u00e9\ud83d\udc8a", "z".repeat(200))
                .map(marks -> patient() + marks + "z")
                .toList();
        for (String id : ids) {
            publish(id, CREATED, 1000, Map.of("lastName", "a"));
            publish(id, UPDATED, 2000, Map.of("lastName", "b"));
        }

        for (String id : ids) {
            awaitEvents(id, 2);
            String path = "/api/patients/" + UriUtils.encode(id, StandardCharsets.UTF_8);
            assertThat(json(get(path).body()).path("id").asText()).isEqualTo(id);
            HttpResponse<String> first = get(path + "/events?limit=1");
            assertThat(json(get(next(first)).body()).findValuesAsText("timestamp"))
                    .containsExactly("2000");
        }
    }

    private void publish(String key, String type, long timestamp, Map<String, String> fields) throws Exception {
        publish(key, UUID.randomUUID(), type, timestamp, "default", fields);
    }

    private void publish(String key, UUID id, String type, long timestamp, String tenant, Map<String, String> fields)
            throws Exception {
        send(key, avro.encode(Samples.record(id, type, timestamp, tenant, fields)), null);
    }

    private static void send(String key, byte[] value, Integer partition) {
        producer.send(new ProducerRecord<>(TOPIC, partition, bytes(key), value));
    }

    /** Waits until the history has this many events of a patient. */
    private void awaitEvents(String id, int count) {
        await().atMost(PATIENCE)
                .until(() -> jdbc.sql("select count(*) from patient_event where patient_id = ?")
                                .param(id)
                                .query(Integer.class)
                                .single()
                        == count);
    }

    /** Starts a rebuild and waits for its end. */
    private JsonNode rebuild(String query) {
        awaitRebuilt();
        HttpResponse<String> begun = post(VIEW + "/rebuild" + query, "application/json", "");
        assertThat(begun.statusCode()).as(begun.body()).isEqualTo(202);
        assertThat(json(begun.body()).path("state").asText()).isEqualTo("REBUILDING");
        return awaitRebuilt();
    }

    private JsonNode awaitRebuilt() {
        await().atMost(PATIENCE)
                .until(() -> !json(get(VIEW).body()).path("state").asText().equals("REBUILDING"));
        JsonNode status = json(get(VIEW).body());
        assertThat(status.path("failure").isNull()).as(status.toString()).isTrue();
        return status;
    }

    private void damage(String id) {
        jdbc.sql(
                        """
                update patient_view set view = view || '{"lastName":"wrong"}' where patient_id = ?""")
                .param(id)
                .update();
    }

    private String name(String id) {
        return json(get("/api/patients/" + id).body()).path("lastName").asText();
    }

    private String lastName(String id, String asOf) {
        return json(get("/api/patients/" + id + "?asOf=" + asOf).body())
                .path("lastName")
                .asText();
    }

    private HttpResponse<String> asOther(String path) {
        return exchange(HttpRequest.newBuilder(uri(path)).header("Authorization", TOKENS.of("other")));
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }
}
