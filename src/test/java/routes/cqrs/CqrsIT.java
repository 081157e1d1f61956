package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import routes.RuntimeIT;

/** Tests commands, their outcomes and the read model in the whole runtime. */
class CqrsIT extends RuntimeIT {

    private static final String COMMANDS = "medication.commands";
    private static final String EVENTS = "medication.events";
    private static final String JSON = "application/json";
    private static final String PRESCRIPTIONS = "/api/prescriptions";

    private final String patient = "patient-" + UUID.randomUUID();

    @BeforeAll
    static void setTimeout() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30));
    }

    @Test
    void appliesACommandAndShowsItsEffect() {
        HttpResponse<String> answer = post(PRESCRIPTIONS, JSON, prescription(), "X-Correlation-Id", patient);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        JsonNode receipt = json(answer.body());
        String command = receipt.path("commandId").asText();
        String id = receipt.path("prescriptionId").asText();
        assertThat(receipt.path("message").asText()).isEqualTo("Prescription command accepted");
        assertThat(receipt.size()).isEqualTo(3);
        assertThat(command(command).path("status").asText()).isIn("ACCEPTED", "APPLIED");
        JsonNode shown = after(command, id);
        assertThat(shown.path("status").asText()).isEqualTo("active");
        assertThat(shown.path("version").asInt()).isEqualTo(1);
        assertThat(shown.path("patientId").asText()).isEqualTo(patient);
        assertThat(shown.at("/medication/name").asText()).isEqualTo("Amoxicilline à 500 mg");
        assertThat(get(PRESCRIPTIONS + "/" + id).body()).contains("""
                "quantity":21.50,""");
        assertThat(shown.path("substitutionAllowed").asBoolean()).isTrue();
        assertThat(command(command).path("status").asText()).isEqualTo("APPLIED");
        assertThat(command(command).path("reason").isNull()).isTrue();

        ConsumerRecord<byte[], byte[]> sent = recordsOf(COMMANDS, id).get(0);
        JsonNode value = json(text(sent.value()));
        assertThat(value.path("commandId").asText()).isEqualTo(command);
        assertThat(value.path("commandType").asText()).isEqualTo("CreatePrescription");
        assertThat(value.path("aggregateId").asText()).isEqualTo(id);
        assertThat(value.path("userId").asText()).isEqualTo("sandbox");
        assertThat(value.path("payload")).isEqualTo(json(prescription()));
        assertThat(header(sent, "correlation-id")).isEqualTo(patient);

        ConsumerRecord<byte[], byte[]> event = recordsOf(EVENTS, id).get(0);
        JsonNode published = json(text(event.value()));
        assertThat(published.fieldNames())
                .toIterable()
                .containsExactly("eventId", "eventType", "aggregateId", "timestamp", "payload", "commandId");
        assertThat(published.path("eventType").asText()).isEqualTo("PrescriptionCreated");
        assertThat(published.path("commandId").asText()).isEqualTo(command);
        assertThat(published.path("payload")).isEqualTo(shown);
        assertThat(Stream.of(event.headers().toArray()).map(header -> header.key()))
                .containsExactlyInAnyOrder("correlation-id", "causation-id", "tenant");
        assertThat(header(event, "correlation-id")).isEqualTo(patient);
        assertThat(header(event, "causation-id")).isEqualTo(command);
        assertThat(header(event, "tenant")).isEqualTo("default");
    }

    @Test
    void announcesEachChangeToThePharmacy() {
        String id = create();
        await().untilAsserted(() -> assertThat(orders()).hasSize(1));
        assertThat(orders().at("/0/status").asText()).isEqualTo("requested");
        assertThat(orders().at("/0/prescription")).isEqualTo(show(id));

        apply(put(id, quantity(7)));
        await().untilAsserted(() ->
                assertThat(orders().at("/0/prescription/quantity").asInt()).isEqualTo(7));
        apply(cancel(id, field("reason", "replaced")));
        await().untilAsserted(
                        () -> assertThat(orders().at("/0/status").asText()).isEqualTo("cancelled"));
        assertThat(orders()).hasSize(1);
        assertThat(orders().at("/0/prescription/statusReason").asText()).isEqualTo("replaced");
        assertThat(recordsOf("medication.prescription.created", id)).hasSize(1);
        assertThat(recordsOf("medication.prescription.updated", id)).hasSize(2);
    }

    @Test
    void mergesAPatchAndRemovesNullFields() {
        String id = create();

        JsonNode changed =
                apply(put(id, """
                {"medication":{"ndc":"0093-3109"},"quantity":null,"refills":2}"""));

        assertThat(changed.at("/medication/name").asText()).isEqualTo("Amoxicilline à 500 mg");
        assertThat(changed.at("/medication/ndc").asText()).isEqualTo("0093-3109");
        assertThat(changed.has("quantity")).isFalse();
        assertThat(changed.path("refills").asInt()).isEqualTo(2);
        assertThat(changed.path("version").asInt()).isEqualTo(2);
        assertThat(apply(put(id, changed.toString())).path("version").asInt()).isEqualTo(3);
    }

    @Test
    void rejectsACommandThatBreaksARule() {
        String id = create();
        String nobody = "rx-" + UUID.randomUUID();

        assertThat(reason(put(nobody, quantity(1)))).isEqualTo("there is no such prescription");
        assertThat(reason(cancel(nobody, null))).isEqualTo("there is no such prescription");
        assertThat(reason(post(PRESCRIPTIONS, JSON, prescriptionWithId(id))))
                .isEqualTo("a prescription with this id exists already");
        assertThat(reason(put(id, """
                {"medication":null}""")))
                .isEqualTo("/payload/medication: is required");
        assertThat(reason(put(id, """
                {"status":"active","quantity":"many"}""")))
                .startsWith("/payload/quantity: must be a number");
        assertThat(reason(put(id, field("status", "on-hold"))))
                .isEqualTo("/payload/status: an update can only set it to completed");
        assertThat(reason(put(id, """
                {"id":"another"}""")))
                .isEqualTo("/payload/id: is the id of another prescription");
        apply(cancel(id, null));
        assertThat(reason(put(id, quantity(1)))).isEqualTo("the prescription is cancelled");
        assertThat(reason(cancel(id, "{}"))).isEqualTo("the prescription is cancelled");
        assertThat(show(id).path("version").asInt()).isEqualTo(2);
        assertThat(recordsOf(EVENTS, id)).hasSize(2);
        assertThat(recordsOf(EVENTS, nobody)).isEmpty();
    }

    @Test
    void appliesOneOfEightUpdatesOfTheSameVersion() throws Exception {
        String id = create();
        ExecutorService clients = Executors.newFixedThreadPool(8);
        List<Callable<HttpResponse<String>>> updates = IntStream.range(0, 8)
                .<Callable<HttpResponse<String>>>mapToObj(n -> () -> put(id, quantityOfVersion1(n)))
                .toList();
        List<String> outcomes = new ArrayList<>();
        for (Future<HttpResponse<String>> answer : clients.invokeAll(updates)) {
            outcomes.add(awaitOutcome(answer.get()).path("status").asText());
        }
        clients.shutdown();

        assertThat(outcomes).containsOnlyOnce("APPLIED");
        assertThat(outcomes.stream().filter("REJECTED"::equals)).hasSize(7);
        assertThat(show(id).path("version").asInt()).isEqualTo(2);
        assertThat(reason(put(id, quantityOfVersion1(9))))
                .isEqualTo("the prescription has version 2, but the update names another version");
    }

    @Test
    void sendsOneCommandPerKeyAndClient() {
        String key = UUID.randomUUID().toString();
        HttpResponse<String> first = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);
        HttpResponse<String> again = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);
        apply(first);
        HttpResponse<String> late = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);
        HttpResponse<String> otherBody =
                post(PRESCRIPTIONS, JSON, prescription().replace("21.50", "22"), "Idempotency-Key", key);
        HttpResponse<String> otherPath = post(PRESCRIPTIONS + "/x/cancel", JSON, "{}", "Idempotency-Key", key);
        HttpResponse<String> otherClient = exchange(HttpRequest.newBuilder(uri(PRESCRIPTIONS))
                .headers("Authorization", TOKENS.of("other"), "Content-Type", JSON, "Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString(prescription())));

        assertThat(again.body()).isEqualTo(first.body());
        assertThat(late.body()).isEqualTo(first.body());
        assertThat(List.of(again.statusCode(), late.statusCode())).containsOnly(202);
        assertThat(List.of(otherBody.statusCode(), otherPath.statusCode())).containsOnly(409);
        assertThat(json(otherBody.body()).path("error").asText())
                .isEqualTo("this Idempotency-Key was used for another request");
        assertThat(otherClient.statusCode()).isEqualTo(202);
        assertThat(json(otherClient.body()).path("commandId"))
                .isNotEqualTo(json(first.body()).path("commandId"));
        String id = json(first.body()).path("prescriptionId").asText();
        assertThat(recordsOf(EVENTS, id)).hasSize(1);
        assertThat(show(id).path("version").asInt()).isEqualTo(1);
        String bodiless = UUID.randomUUID().toString();
        assertThat(cancel(id, null, "Idempotency-Key", bodiless).body())
                .isEqualTo(cancel(id, null, "Idempotency-Key", bodiless).body());
        assertThat(cancel(id, "{}", "Idempotency-Key", bodiless).statusCode()).isEqualTo(409);
    }

    @Test
    void resendsACommandWhoseFirstRequestDied() {
        String key = UUID.randomUUID().toString();
        HttpResponse<String> first = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);
        apply(first);
        String id = json(first.body()).path("prescriptionId").asText();
        String command = json(first.body()).path("commandId").asText();
        // the state after the instance died between the row and the send
        String other = UUID.randomUUID().toString();
        jdbc.sql("update medication_command set command_id = ? where command_id = ?")
                .params(other, command)
                .update();
        jdbc.sql("delete from medication_prescription where prescription_id = ?")
                .param(id)
                .update();
        jdbc.sql(
                        """
                        insert into medication_command (tenant, command_id, command_type, prescription_id, status, fingerprint)
                        select tenant, ?, command_type, prescription_id, 'ACCEPTED', fingerprint from medication_command
                        where command_id = ?""")
                .params(command, other)
                .update();

        jdbc.sql("update idempotency_key set answer = null, leased_until = now() - interval '1 second' where key = ?")
                .param(key)
                .update();

        HttpResponse<String> again = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);

        assertThat(again.body()).isEqualTo(first.body());
        assertThat(awaitOutcome(again).path("status").asText()).isEqualTo("APPLIED");
        assertThat(recordsOf(COMMANDS, id)).hasSize(2);
    }

    @Test
    void handlesCommandsOfKafkaClientsAlike() {
        String id = "rx-" + UUID.randomUUID();
        String create = send("CreatePrescription", id, prescription());
        String update = send("UpdatePrescription", id, quantity(5));
        send("UpdatePrescription", id, quantity(6), update);
        String early = send("CancelPrescription", id + "-2", "{}");

        assertThat(after(update, id).path("quantity").asInt()).isEqualTo(5);
        assertThat(command(create).path("status").asText()).isEqualTo("APPLIED");
        await().untilAsserted(
                        () -> assertThat(command(early).path("status").asText()).isEqualTo("REJECTED"));
        assertThat(command(early).path("reason").asText()).isEqualTo("there is no such prescription");
        assertThat(recordsOf(EVENTS, id)).hasSize(2);
    }

    @Test
    void handlesACommandIdInUpperAndLowerCaseOnce() {
        String id = "rx-" + UUID.randomUUID();
        String lower = UUID.randomUUID().toString();
        String upper = lower.toUpperCase(Locale.ROOT);
        send("CreatePrescription", id, prescription(), upper);
        send("CreatePrescription", id, prescription(), lower);
        String last = send("UpdatePrescription", id, quantity(5));

        assertThat(after(last, id).path("version").asInt()).isEqualTo(2);
        assertThat(after(upper, id).path("version").asInt()).isEqualTo(2);
        assertThat(command(upper)).isEqualTo(command(lower));
        assertThat(command(upper).path("status").asText()).isEqualTo("APPLIED");
        assertThat(command(upper).path("commandId").asText()).isEqualTo(lower);
        List<ConsumerRecord<byte[], byte[]>> events = recordsOf(EVENTS, id);
        assertThat(events).hasSize(2);
        assertThat(json(text(events.get(0).value())).path("commandId").asText())
                .as("the commandId as sent")
                .isEqualTo(upper);
        assertThat(header(events.get(0), "causation-id")).isEqualTo(upper);
    }

    @Test
    void recognisesASagaInUpperAndLowerCase() {
        String id = "rx-" + UUID.randomUUID();
        String lower = UUID.randomUUID().toString();
        String upper = lower.toUpperCase(Locale.ROOT);
        send("CreatePrescription", id, prescription());
        send("LockPrescription", id, saga(upper));
        String unlock = send("UnlockPrescription", id, saga(lower));
        String late = send("LockPrescription", id, saga(upper));

        assertThat(after(unlock, id).path("status").asText()).isEqualTo("active");
        assertThat(awaitRejection(late)).isEqualTo("this saga has already unlocked the prescription");
    }

    @Test
    void countsCommandsByOutcome() {
        // 16 keys: some are on partitions of this instance, even when the group has other members
        for (int i = 0; i < 16; i++) {
            String id = "rx-" + UUID.randomUUID();
            String create = send("CreatePrescription", id, prescription());
            send("CreatePrescription", id, prescription(), create);
            send("CreatePrescription", id, prescription());
        }

        await().untilAsserted(() -> assertThat(management("/observe/metrics")
                        .body()
                        .lines()
                        .filter(line -> line.startsWith("event_broker_commands_total{")
                                && line.contains("type=\"CreatePrescription\"")))
                .anyMatch(line -> line.contains("status=\"APPLIED\""))
                .anyMatch(line -> line.contains("status=\"REPEATED\""))
                .anyMatch(line -> line.contains("status=\"REJECTED\"")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    CreatePrescription   | {"patientId":"p","medication":{}}
                    LockPrescription     | {}
                    UpdatePrescription   | {}
                    DispensePrescription | {}
                    """)
    void deadLettersAnInvalidCommand(String type, String payload) {
        String id = "rx-" + UUID.randomUUID();
        String command = send(type, id, payload);

        await().untilAsserted(() -> assertThat(recordsOf(COMMANDS + ".dlq", id)).hasSize(1));
        assertThat(get("/api/commands/" + command).statusCode()).isEqualTo(404);
    }

    @Test
    void ignoresEnvelopeFieldsInAFlatCommand() {
        String id = create();
        String lock = UUID.randomUUID().toString();
        String event = UUID.randomUUID().toString();
        // fields that a service copies from an event with an envelope
        String more =
                """
                ,"eventId":"%1$s","eventType":"X","metadata":{"eventId":"%1$s"},"security":{"tenant":"other"}}"""
                        .formatted(event);
        send(COMMANDS, id, bytes(value("LockPrescription", id, saga("s"), lock).replaceFirst("}$", more)), Map.of());
        String unlock = UUID.randomUUID().toString();
        send(
                COMMANDS,
                id,
                bytes(value("UnlockPrescription", id, saga("s"), unlock).replaceFirst("}$", more)),
                Map.of());

        assertThat(after(unlock, id).path("version").asInt()).isEqualTo(3);
        assertThat(command(lock).path("status").asText()).isEqualTo("APPLIED");
        // the id of another command
        send("CancelPrescription", id, "{}", lock);
        await().untilAsserted(() -> assertThat(recordsOf(COMMANDS + ".dlq", id)).hasSize(1));
        assertThat(show(id).path("status").asText()).isEqualTo("active");
    }

    @Test
    void rebuildsTheViewDespiteForeignEvents() {
        String id = create();
        apply(put(id, quantity(3)));
        for (String payload : List.of(
                field("status", "cancelled"),
                """
                {"version":1,"status":"cancelled","createdAt":1,"updatedAt":1,"patientId":"\\u0000"}""",
                field("version", "2"),
                "[]")) {
            String event =
                    """
                    {"eventId":"%s","eventType":"PrescriptionUpdated","aggregateId":"%s","timestamp":1,"payload":%s,\
                    "metadata":{"eventId":"x"}}"""
                            .formatted(UUID.randomUUID(), id, payload);
            send(EVENTS, id, bytes(event), Map.of());
        }
        apply(put(id, quantity(4)));
        // two unreadable events, and one that the announcer cannot publish
        await().untilAsserted(() -> assertThat(recordsOf(EVENTS + ".dlq", id)).hasSize(3));

        String projection = "/api/projections/prescription-view";
        assertThat(post(projection + "/rebuild?dryRun=true", JSON, "").statusCode())
                .isEqualTo(202);
        await().until(() -> !json(get(projection).body()).path("state").asText().equals("REBUILDING"));
        JsonNode rebuilt = json(get(projection).body());
        assertThat(rebuilt.path("state").asText()).as(rebuilt.toString()).isEqualTo("LIVE");
        assertThat(rebuilt.path("differences").asInt(-1)).isZero();
        assertThat(rebuilt.path("poisonSkipped").asInt()).isGreaterThanOrEqualTo(2);
        assertThat(post(projection + "/rebuild?id=" + id, JSON, "").statusCode())
                .isEqualTo(202);
        await().until(() -> !json(get(projection).body()).path("state").asText().equals("REBUILDING"));
        assertThat(show(id).path("quantity").asInt()).isEqualTo(4);
    }

    @Test
    void ignoresRecordsOfAbortedTransactions() throws Exception {
        String id = create();
        String committed = create();
        String aborted = UUID.randomUUID().toString();
        String projection = "/api/projections/prescription-view";
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers(), "transactional.id", id),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(
                    COMMANDS, bytes(id), bytes(value("UpdatePrescription", id, quantity(7), aborted))));
            producer.send(new ProducerRecord<>(EVENTS, bytes(id), bytes(cancelled(id))));
            producer.flush();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(EVENTS, bytes(committed), bytes(cancelled(committed))));
            producer.commitTransaction();
        }

        await().untilAsserted(() ->
                assertThat(show(committed).path("status").asText()).isEqualTo("cancelled"));
        assertThat(apply(put(id, quantity(4))).path("version").asInt()).isEqualTo(2);
        assertThat(get("/api/commands/" + aborted).statusCode()).isEqualTo(404);
        await().untilAsserted(() ->
                assertThat(json(get(projection).body()).path("lag").asLong(-1)).isZero());
        assertThat(post(projection + "/rebuild?dryRun=true", JSON, "").statusCode())
                .isEqualTo(202);
        await().until(() -> !json(get(projection).body()).path("state").asText().equals("REBUILDING"));
        assertThat(json(get(projection).body()).path("differences").asInt(-1)).isZero();
    }

    /** An event of a service that writes to medication.events itself. */
    private static String cancelled(String id) {
        return """
                {"eventId":"%1$s","eventType":"PrescriptionCancelled","aggregateId":"%2$s","timestamp":1,"payload":\
                {"id":"%2$s","patientId":"p","version":9,"status":"cancelled","createdAt":1,"updatedAt":1}}"""
                .formatted(UUID.randomUUID(), id);
    }

    @Test
    void pagesThroughIdsOfAnyText() {
        List<String> ids = List.of("{x} " + patient, "{patientId}+" + patient, "a&b%20é?" + patient);
        for (String id : ids) {
            awaitOutcome(post(PRESCRIPTIONS, JSON, prescriptionWithId(id)));
            await().until(() -> ids("?patientId=" + patient).contains(id));
        }
        List<String> paged = new ArrayList<>();
        pages(PRESCRIPTIONS + "?limit=1&patientId=" + patient, paged);

        assertThat(paged).containsExactly(ids.get(2), ids.get(1), ids.get(0));
    }

    @Test
    void locksForOneSagaUntilItUnlocks() {
        String id = create();
        String lock = send("LockPrescription", id, saga("s1"));
        JsonNode locked = after(lock, id);
        assertThat(locked.path("status").asText()).isEqualTo("on-hold");
        assertThat(locked.has("sagaId")).isFalse();
        assertThat(json(text(recordsOf(EVENTS, id).get(1).value()))
                        .at("/payload/sagaId")
                        .asText())
                .isEqualTo("s1");
        assertThat(reason(put(id, quantity(1)))).isEqualTo("the prescription is on-hold: a saga holds it");
        assertThat(awaitRejection(send("LockPrescription", id, saga("s2"))))
                .isEqualTo("another saga holds the prescription");
        assertThat(after(send("LockPrescription", id, saga("s1")), id)
                        .path("status")
                        .asText())
                .isEqualTo("on-hold");
        assertThat(after(send("UnlockPrescription", id, saga("s3")), id)
                        .path("status")
                        .asText())
                .isEqualTo("on-hold");
        assertThat(after(send("UnlockPrescription", id, saga("s1")), id)
                        .path("status")
                        .asText())
                .isEqualTo("active");
        assertThat(awaitRejection(send("LockPrescription", id, saga("s1"))))
                .isEqualTo("this saga has already unlocked the prescription");
        // a saga that unlocked without a lock cannot lock later
        assertThat(awaitRejection(send("LockPrescription", id, saga("s3"))))
                .isEqualTo("this saga has already unlocked the prescription");
        assertThat(after(send("LockPrescription", id, saga("s4")), id)
                        .path("status")
                        .asText())
                .isEqualTo("on-hold");
        assertThat(apply(cancel(id, null)).path("status").asText()).isEqualTo("cancelled");
        assertThat(after(send("UnlockPrescription", id, saga("s4")), id)
                        .path("status")
                        .asText())
                .isEqualTo("cancelled");
    }

    @Test
    void rejectsALockAfterTheUnlockOfItsSaga() {
        String id = "rx-" + UUID.randomUUID();
        String unlock = send("UnlockPrescription", id, saga("s1"));
        await().untilAsserted(() ->
                assertThat(command(unlock).path("status").asText()).isEqualTo("APPLIED"));
        await().untilAsserted(() -> assertThat(recordsOf(EVENTS, id)).hasSize(1));
        assertThat(json(text(recordsOf(EVENTS, id).get(0).value())).path("payload"))
                .isEqualTo(json("""
                        {"id":"%s","sagaId":"s1"}""".formatted(id)));
        assertThat(get(PRESCRIPTIONS + "/" + id + "?after=" + unlock).statusCode())
                .isEqualTo(404);

        String create = send("CreatePrescription", id, prescription());
        assertThat(after(create, id).path("status").asText()).isEqualTo("active");
        assertThat(awaitRejection(send("LockPrescription", id, saga("s1"))))
                .isEqualTo("this saga has already unlocked the prescription");
        assertThat(recordsOf("medication.prescription.updated", id)).isEmpty();
    }

    @Test
    void listsByPatientPrescriberAndStatus() {
        String prescriber = "NPI " + UUID.randomUUID();
        List<String> ids = IntStream.range(0, 5).mapToObj(n -> create()).toList();
        apply(put(ids.get(1), field("prescriberId", prescriber)));
        apply(put(ids.get(3), field("status", "completed")));
        apply(cancel(ids.get(4), null));

        assertThat(ids("?patientId=" + patient))
                .containsExactly(ids.get(4), ids.get(3), ids.get(2), ids.get(1), ids.get(0));
        assertThat(ids("?patientId=" + patient + "&status=active")).containsExactly(ids.get(2), ids.get(1), ids.get(0));
        assertThat(ids("?patientId=" + patient + "&status=completed")).containsExactly(ids.get(3));
        assertThat(ids("?prescriberId=" + prescriber.replace(" ", "%20"))).containsExactly(ids.get(1));
        assertThat(ids("?patientId=" + patient + "&prescriberId=nobody")).isEmpty();
        assertThat(get(PRESCRIPTIONS + "?status=lost").statusCode()).isEqualTo(400);
        assertThat(get(PRESCRIPTIONS + "?patient=p").statusCode()).isEqualTo(400);
        List<String> paged = new ArrayList<>();
        pages(PRESCRIPTIONS + "?limit=2&patientId=" + patient, paged);
        assertThat(paged).containsExactlyElementsOf(ids("?patientId=" + patient));
    }

    private void pages(String first, List<String> paged) {
        String next = first;
        while (next != null) {
            HttpResponse<String> page = get(next);
            json(page.body()).forEach(one -> paged.add(one.path("id").asText()));
            next = next(page);
        }
    }

    @Test
    void answers503WhenAnEffectDoesNotArrive() {
        String id = create();
        jdbc.sql(
                        """
                        insert into medication_command (tenant, command_id, command_type, prescription_id, status)
                        values ('default', ?, 'UpdatePrescription', ?, 'ACCEPTED')""")
                .params(patient, id)
                .update();

        for (String path : List.of(PRESCRIPTIONS + "/" + id, PRESCRIPTIONS)) {
            for (String command : List.of(patient, "nobody-knows-it")) {
                long since = System.nanoTime();
                HttpResponse<String> answer = get(path + "?after=" + command);
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                assertThat(Duration.ofNanos(System.nanoTime() - since)).isGreaterThan(Duration.ofMillis(1900));
            }
        }
        String rejected = json(put(id, field("status", "on-hold")).body())
                .path("commandId")
                .asText();
        assertThat(after(rejected, id).path("version").asInt()).isEqualTo(1);
    }

    @Test
    void answers400WithThePlaceAndSendsNothing() {
        assertThat(error(post(PRESCRIPTIONS, JSON, """
                {"patientId":"p","medication":{}}"""), 400))
                .isEqualTo("body /medication/name: is required");
        assertThat(error(post(PRESCRIPTIONS, JSON, "[]"), 400)).isNotEmpty();
        assertThat(error(put("rx-1", "{}"), 400)).isEqualTo("body: must not be empty");
        assertThat(error(put("rx-1", """
                {"version":"1"}"""), 400))
                .startsWith("body /version: must be a whole number");
        assertThat(error(cancel("rx-1", """
                {"reason":1}"""), 400))
                .contains("reason");
        assertThat(error(
                        post(PRESCRIPTIONS, JSON, prescription().replaceFirst("\\{", """
                {"id":7,""")),
                        400))
                .startsWith("body /id: must be a string");
        assertThat(error(post(PRESCRIPTIONS, JSON, prescription().replace("Amoxicilline", "x".repeat(1_000_000))), 413))
                .contains("is larger than 1000000");
    }

    @Test
    void rejectsAPrescriptionThatGrowsTooLarge() {
        String id = create();
        apply(put(id, field("note", "x".repeat(600_000))));

        assertThat(reason(put(id, field("other", "x".repeat(600_000)))))
                .isEqualTo("the prescription would be larger than 1000000 bytes");
        await().untilAsserted(() ->
                assertThat(recordsOf("medication.prescription.updated", id)).hasSize(1));
    }

    @Test
    void hidesCommandsAndPrescriptionsOfOtherTenants() {
        String id = create();
        String command = json(put(id, quantity(2)).body()).path("commandId").asText();
        for (String path : List.of(PRESCRIPTIONS + "/" + id, "/api/commands/" + command)) {
            HttpResponse<String> answer =
                    exchange(HttpRequest.newBuilder(uri(path)).header("Authorization", TOKENS.of("other")));
            assertThat(answer.statusCode()).isEqualTo(404);
        }
        // in the other tenant the same id names another prescription
        HttpResponse<String> foreign = exchange(HttpRequest.newBuilder(uri(PRESCRIPTIONS + "/" + id))
                .headers("Authorization", TOKENS.of("other"), "Content-Type", JSON)
                .PUT(HttpRequest.BodyPublishers.ofString(quantity(3))));
        String theirs = json(foreign.body()).path("commandId").asText();
        await().untilAsserted(() -> assertThat(json(exchange(HttpRequest.newBuilder(uri("/api/commands/" + theirs))
                                        .header("Authorization", TOKENS.of("other")))
                                .body())
                        .path("reason")
                        .asText())
                .isEqualTo("there is no such prescription"));
        assertThat(after(command, id).path("quantity").asInt()).isEqualTo(2);
    }

    @Test
    void sendsTheSameCommandOnceTheBrokerIsBack() throws Exception {
        String key = UUID.randomUUID().toString();
        SERVERS.kafka().suspend();
        HttpResponse<String> refused;
        try {
            refused = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);
        } finally {
            SERVERS.kafka().resume();
        }
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After")).isPresent();

        HttpResponse<String> again = post(PRESCRIPTIONS, JSON, prescription(), "Idempotency-Key", key);

        assertThat(apply(again).path("version").asInt()).isEqualTo(1);
        assertThat(recordsOf(EVENTS, json(again.body()).path("prescriptionId").asText()))
                .hasSize(1);
    }

    @Test
    void handlesACommandOnceTheDatabaseIsBack() throws Exception {
        String id = create();
        SERVERS.postgres().kill();
        String update;
        try {
            for (String path : List.of("", "/" + id, "/" + id + "?after=" + id)) {
                assertThat(error(get(PRESCRIPTIONS + path), 500)).isEqualTo("Failed to retrieve prescriptions");
            }
            assertThat(put(id, quantity(1)).statusCode()).isEqualTo(503);
            assertThat(get("/api/commands/" + id).statusCode()).isEqualTo(503);
            update = send("UpdatePrescription", id, quantity(2));
        } finally {
            SERVERS.postgres().start();
        }

        await().untilAsserted(() -> assertThat(
                        get(PRESCRIPTIONS + "/" + id + "?after=" + update).statusCode())
                .isEqualTo(200));
        assertThat(show(id).path("quantity").asInt()).isEqualTo(2);
        assertThat(recordsOf(COMMANDS + ".dlq", id)).isEmpty();
    }

    private String prescription() {
        return """
                {"patientId":"%s","prescriberId":"9999991695","medication":{"name":"Amoxicilline à 500 mg"},"quantity":21.50,"substitutionAllowed":true}"""
                .formatted(patient);
    }

    private String prescriptionWithId(String id) {
        return prescription().replaceFirst("\\{", """
                {"id":"%s",""".formatted(id));
    }

    private static String quantity(int quantity) {
        return """
                {"quantity":%d}""".formatted(quantity);
    }

    private static String quantityOfVersion1(int quantity) {
        return """
                {"version":1,"quantity":%d}""".formatted(quantity);
    }

    private static String saga(String id) {
        return field("sagaId", id);
    }

    private static String field(String name, String text) {
        return """
                {"%s":"%s"}""".formatted(name, text);
    }

    private String create() {
        HttpResponse<String> answer = post(PRESCRIPTIONS, JSON, prescription());
        apply(answer);
        return json(answer.body()).path("prescriptionId").asText();
    }

    private HttpResponse<String> put(String id, String body) {
        return exchange(request(PRESCRIPTIONS + "/" + id)
                .header("Content-Type", JSON)
                .PUT(HttpRequest.BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> cancel(String id, String body, String... headers) {
        HttpRequest.Builder request = request(PRESCRIPTIONS + "/" + id + "/cancel");
        if (headers.length > 0) {
            request.headers(headers);
        }
        return exchange(
                body == null
                        ? request.POST(HttpRequest.BodyPublishers.noBody())
                        : request.header("Content-Type", JSON).POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private static String send(String type, String id, String payload) {
        String command = UUID.randomUUID().toString();
        send(type, id, payload, command);
        return command;
    }

    private static void send(String type, String id, String payload, String command) {
        send(COMMANDS, id, bytes(value(type, id, payload, command)), Map.of());
    }

    private static String value(String type, String id, String payload, String command) {
        return """
                {"commandId":"%s","commandType":"%s","aggregateId":"%s","timestamp":%d,"payload":%s}"""
                .formatted(command, type, id, System.currentTimeMillis(), payload);
    }

    /** Waits until the command of an answer is applied, and returns the prescription. */
    private JsonNode apply(HttpResponse<String> answer) {
        assertThat(awaitOutcome(answer).path("status").asText()).isEqualTo("APPLIED");
        return after(
                json(answer.body()).path("commandId").asText(),
                json(answer.body()).path("prescriptionId").asText());
    }

    private String reason(HttpResponse<String> answer) {
        JsonNode command = awaitOutcome(answer);
        assertThat(command.path("status").asText()).isEqualTo("REJECTED");
        return command.path("reason").asText();
    }

    private String awaitRejection(String command) {
        await().untilAsserted(() ->
                assertThat(command(command).path("status").asText()).isEqualTo("REJECTED"));
        return command(command).path("reason").asText();
    }

    private JsonNode awaitOutcome(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        String command = json(answer.body()).path("commandId").asText();
        await().pollInterval(Duration.ofMillis(20))
                .until(() -> !command(command).path("status").asText().equals("ACCEPTED"));
        return command(command);
    }

    private JsonNode command(String id) {
        return json(get("/api/commands/" + id).body());
    }

    private JsonNode after(String command, String id) {
        HttpResponse<String> answer = get(PRESCRIPTIONS + "/" + id + "?after=" + command);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return json(answer.body());
    }

    private JsonNode show(String id) {
        return json(get(PRESCRIPTIONS + "/" + id).body());
    }

    private List<String> ids(String query) {
        List<String> ids = new ArrayList<>();
        json(get(PRESCRIPTIONS + query).body())
                .forEach(one -> ids.add(one.path("id").asText()));
        return ids;
    }

    private JsonNode orders() {
        return json(get("/api/pharmacy-orders?patientId=" + patient).body());
    }

    private static String error(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return json(answer.body()).path("error").asText();
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic, String key) {
        return records(topic).stream()
                .filter(record -> key.equals(text(record.key())))
                .toList();
    }
}
