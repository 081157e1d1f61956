package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.CompressedBatch;
import routes.RuntimeIT;
import routes.platform.Sha256;

/** Dead letters of somebody who means harm, and operators who do more than they may. */
class HostileDeadLettersIT extends RuntimeIT {

    private static final String COMMANDS = "medication.commands";
    private static final String CREATED = "medication.prescription.created";
    private static final String PATIENTS = "patient.events";
    private static final String PATH = "/api/dead-letters";
    private static final String JSON = "application/json";
    private static final int MIB = 1 << 20;

    private final String run = UUID.randomUUID().toString();
    private final String key = "rx-" + run;

    @BeforeAll
    static void patience() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
    }

    @Test
    void showsOneDeadLetterInLessThanAMebibyte() throws Exception {
        String large = "{\"a\":\"" + "\\u0000".repeat(4 * MIB - 2) + "\"}";
        assertThat(large.length()).isBetween(23 * MIB, 24 * MIB);
        byte[] control = bytes("\1".repeat(2000));
        byte[] longKey = bytes(key + "\1".repeat(100_000));
        ProducerRecord<byte[], byte[]> letter = new ProducerRecord<>(CREATED + ".dlq", longKey, bytes(large));
        for (int i = 0; i < 1000; i++) {
            letter.headers().add("\1".repeat(300) + i, control);
        }
        letter.headers()
                .add("dead-letter-id", bytes("hostile-" + run))
                .add("error-message", control)
                .add("consumer-group", bytes("😀".repeat(256)))
                .add(
                        "error-stack",
                        bytes("com.example.Hostile" + run.replace("-", "") + ": x\n" + "\1".repeat(16_000)));
        CompressedBatch.send(brokers(), 40 * MIB, List.of(letter));
        String path = PATH + "/hostile-" + run;
        await().until(() -> get(path).statusCode() == 200);
        byte[] edit = bytes(command("CreatePrescription", key, "\\u0001".repeat(10_000)));
        for (int i = 0; i < 100; i++) {
            attempt("hostile-" + run, i, edit, "\1".repeat(16_000));
        }

        HttpResponse<byte[]> answer = download(path);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).hasSizeLessThan(MIB);
        JsonNode detail = json(text(answer.body()));
        assertThat(detail.at("/value/bytes").asInt()).isEqualTo(large.length());
        assertThat(detail.at("/value/text").asText()).isEqualTo(large.substring(0, 16 * 1024));
        assertThat(detail.at("/key/bytes").asInt()).isEqualTo(longKey.length);
        assertThat(detail.path("headerCount").asInt()).isEqualTo(1004);
        assertThat(detail.path("headers").findValuesAsText("name"))
                .contains("dead-letter-id", "error-message", "consumer-group", "error-stack");
        assertThat(detail.path("reprocessingCount").asInt()).isEqualTo(100);
        assertThat(detail.path("reprocessings")).hasSize(10);
        assertThat(detail.at("/reprocessings/9/reprocessTimestamp").asInt()).isEqualTo(99);
        assertThat(detail.at("/reprocessings/9/editedValue/bytes").asInt()).isEqualTo(edit.length);
        assertThat(detail.at("/reprocessings/9/errorStackBytes").asInt()).isEqualTo(16_000);
        assertThat(content(path, "part=value")).isEqualTo(bytes(large));
        assertThat(content(path, "part=key")).isEqualTo(longKey);
        assertThat(content(path, "part=header&number=999")).isEqualTo(control);
        assertThat(content(
                        path,
                        "part=header&number=" + detail.at("/headers/0/number").asText()))
                .isEqualTo(control);
        assertThat(content(path, "part=editedValue&number=42")).isEqualTo(edit);
        assertThat(content(path, "part=errorStack&number=42")).hasSize(16_000);
        assertThat(content(path, "part=errorStack").length)
                .isEqualTo(detail.path("errorStackBytes").asInt());
        assertThat(json(get(PATH + "?keySha256=" + detail.path("keySha256").asText())
                                .body())
                        .findValuesAsText("id"))
                .containsExactly("hostile-" + run);
    }

    @Test
    void listsAPageInLittleMoreThanAMebibyte() {
        String error = "Page" + run.replace("-", "");
        jdbc.sql(
                        """
                        insert into dead_letter (tenant, id, original_topic, key, headers, error_class, error_message, error_stack,
                                                 failed_at, attempts, status)
                        select 'default', :id || '-' || i, :topic, convert_to(repeat(E'\\x01', 1000), 'UTF8'), '{}', :class,
                               repeat(E'\\x01', 2000), '', 1, 1, 'PARKED' from generate_series(1, 500) i""")
                .param("id", run)
                .param("topic", CREATED)
                .param("class", error)
                .update();

        HttpResponse<byte[]> page = download(PATH + "?limit=500&errorClass=" + error);

        assertThat(page.body().length).isBetween(MIB / 2, MIB + 50_000);
        assertThat(page.headers().firstValue("Link")).isPresent();
    }

    @Test
    void sendsAFileThatNoBrowserShows() {
        String id = letter(CREATED, key, "<script>alert(1)</script>", Map.of());

        HttpResponse<byte[]> answer = download(PATH + "/" + id + "/content");

        assertThat(text(answer.body())).isEqualTo("<script>alert(1)</script>");
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/octet-stream");
        assertThat(answer.headers().firstValue("Content-Length")).hasValue("25");
        assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        assertThat(answer.headers().firstValue("Content-Disposition"))
                .hasValue("attachment; filename=\"" + id + ".value\"");
        for (String none :
                List.of("part=header&number=77", "part=editedValue&number=1", "part=header&number=2147483648")) {
            assertThat(download(PATH + "/" + id + "/content?" + none).statusCode())
                    .as(none)
                    .isEqualTo(404);
        }
    }

    @Test
    void answersHeadWithoutReadingAPart() {
        String id = letter(CREATED, key, "{}", Map.of());

        HttpResponse<String> head =
                exchange(request(PATH + "/" + id + "/content").method("HEAD", HttpRequest.BodyPublishers.noBody()));

        assertThat(head.statusCode()).as("%s", head.headers()).isEqualTo(200);
        assertThat(head.headers().firstValue("Content-Length")).hasValue("2");
        assertThat(head.headers().firstValue("Content-Type")).hasValue("application/octet-stream");
        assertThat(head.headers().firstValue("Content-Disposition"))
                .hasValue("attachment; filename=\"" + id + ".value\"");
        assertThat(head.headers().firstValue("Connection")).isEmpty();
        assertThat(exchange(request(PATH + "/" + id + "/content?part=editedValue&number=1")
                                .method("HEAD", HttpRequest.BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void readsTheLastHeaderOfEachNameAmongThousands() throws Exception {
        ProducerRecord<byte[], byte[]> letter = new ProducerRecord<>(COMMANDS + ".dlq", bytes(key), null);
        letter.headers()
                .add("dead-letter-id", bytes(run))
                .add("tenant", bytes("other"))
                .add("tenant", bytes("default"))
                .add("original-topic", bytes(CREATED))
                .add("value-omitted", bytes("true"));
        for (int i = 0; i < 150; i++) {
            letter.headers().add("correlation-id", bytes("c-" + i));
        }
        CompressedBatch.send(brokers(), MIB, List.of(letter));
        await().until(() -> get(PATH + "/" + run).statusCode() == 200);

        JsonNode detail = json(get(PATH + "/" + run).body());

        assertThat(detail.path("headers")).hasSize(100);
        assertThat(detail.at("/headers/99/value/text").asText()).isEqualTo("c-149");
        assertThat(detail.path("headers").findValuesAsText("name"))
                .contains("dead-letter-id", "tenant", "original-topic", "value-omitted");
        assertThat(detail.path("headers").findValuesAsText("text")).contains("default");
        assertThat(detail.path("problems").toString())
                .contains("the dead letter is without its value", "header original-topic is not trusted");
    }

    @Test
    void breaksOffWhenADeadLetterDisappears() throws Exception {
        byte[] large = new byte[24 * MIB];
        ProducerRecord<byte[], byte[]> letter = new ProducerRecord<>(CREATED + ".dlq", bytes(key), large);
        letter.headers().add("dead-letter-id", bytes(run));
        CompressedBatch.send(brokers(), large.length + 1000, List.of(letter));
        await().until(() -> get(PATH + "/" + run).statusCode() == 200);
        HttpResponse<InputStream> answer = HttpClient.newHttpClient()
                .send(request(PATH + "/" + run + "/content").build(), HttpResponse.BodyHandlers.ofInputStream());

        try (InputStream body = answer.body()) {
            assertThat(body.read()).isZero();
            jdbc.sql("delete from dead_letter where id = ?").param(run).update();
            assertThat(answer.headers().firstValue("Connection")).hasValue("close");
            assertThatThrownBy(body::readAllBytes).isInstanceOf(IOException.class);
        }
    }

    @Test
    void comparesAnEditWithTheOriginalRecord() {
        String sent = event("dr-1").replace("\"medication\"", "\"drug\"");
        send(CREATED, key, bytes(sent), Map.of());
        ConsumerRecord<byte[], byte[]> record = recordsOf(CREATED).get(0);
        String id = letter(
                CREATED,
                key,
                null,
                Map.of(
                        "original-partition", String.valueOf(record.partition()),
                        "original-offset", String.valueOf(record.offset()),
                        "value-omitted", "true",
                        "value-sha256", Sha256.hex(record.value())));

        assertThat(edit(id, event("dr-2"), TOKENS.sandbox())).endsWith("/metadata/security/principal is not yours");
        assertThat(edit(id, event("dr-1"), TOKENS.of("sandbox", "dead-letters.operate")))
                .isEqualTo("202 ");
    }

    private String event(String principal) {
        return """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1,\
                "security":{"principal":"%s","tenant":"default"}},\
                "payload":{"id":"%s","patientId":"p","medication":{"name":"x"}}}"""
                .formatted(run, principal, key);
    }

    @Test
    void sendsNoCommandFromTheDlqOfAnotherTopic() {
        String command = command("CreatePrescription", key, "x");
        String id = letter(
                PATIENTS,
                key,
                command,
                Map.of("original-topic", COMMANDS, "original-partition", "0", "original-offset", "0"));

        JsonNode letter = json(get(PATH + "/" + id).body());
        assertThat(letter.path("originalTopic").asText()).isEqualTo(PATIENTS);
        assertThat(letter.path("originalPartition").isNull()).isTrue();
        assertThat(letter.path("originalOffset").isNull()).isTrue();
        assertThat(letter.path("problems").toString())
                .contains("header original-topic is not trusted: the dead letter is from the dead-letter topic of "
                        + PATIENTS);
        assertThat(post(PATH + "/" + id + "/reprocess", JSON, command).statusCode())
                .isEqualTo(400);
        assertThat(exchange(request(PATH + "/" + id + "/reprocess").POST(HttpRequest.BodyPublishers.noBody()))
                        .statusCode())
                .isEqualTo(202);

        await().untilAsserted(() -> assertThat(recordsOf(PATIENTS)).hasSize(1));
        assertThat(recordsOf(COMMANDS)).isEmpty();
    }

    @Test
    void takesTheOriginalTopicFromItsDeadLetterTopic() {
        String named = letter(CREATED, key, "{", Map.of("original-topic", CREATED, "original-partition", "3"));
        String bare = letter(CREATED, key, "{", Map.of());

        JsonNode letter = json(get(PATH + "/" + named).body());
        assertThat(letter.path("originalTopic").asText()).isEqualTo(CREATED);
        assertThat(letter.path("originalPartition").asInt()).isEqualTo(3);
        assertThat(letter.path("problems").toString()).doesNotContain("original-topic");
        assertThat(json(get(PATH + "/" + bare).body()).path("originalTopic").asText())
                .isEqualTo(CREATED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"tenant\":5",
                "\"tenant\":[\"other\"]",
                "\"tenant\":{\"a\":1}",
                "\"tenant\":true",
                "\"tenant\":null",
                "\"tenant\":\" \"",
                "\"claims\":{\"tenant\":5}",
                "\"claims\":5"
            })
    void belongsToDefaultWhenItsTenantIsNoText(String tenant) {
        String event =
                """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"s","timestamp":1,"security":{"principal":"p",%s}},"payload":{}}"""
                        .formatted(run, tenant);

        send(CREATED, key, bytes(event), Map.of());

        await().until(() -> json(get(PATH + "?key=" + key).body()).size() == 1);
    }

    @Test
    void rejectsACancellationInAnotherName() {
        String unfit = command("CreatePrescription", key, "x").replace("\"medication\"", "\"drug\"");
        String sent = unfit.replace("sandbox", "dr-1");
        send(COMMANDS, key, bytes(sent), Map.of());
        String id = awaitLetter();
        String mended = sent.replace("\"drug\"", "\"medication\"");

        assertThat(edit(id, sent.replace("Create", "Cancel").replace(key, key + "-2"), TOKENS.sandbox()))
                .isEqualTo("400 /aggregateId: is not the key of the record");
        assertThat(edit(id, sent.replace("Create", "Cancel"), TOKENS.sandbox()))
                .isEqualTo("400 /commandType: differs from the dead letter, and /userId is not yours");
        assertThat(edit(id, mended.replace("dr-1", "dr-2"), TOKENS.sandbox()))
                .isEqualTo("400 /userId: differs from the dead letter, and /userId is not yours");
        String operator = TOKENS.of("sandbox", "dead-letters.read", "dead-letters.operate");
        assertThat(edit(id, mended.replace("dr-1", "sandbox"), operator))
                .startsWith("403 an edit in your own name needs the scope prescriptions.write");
        assertThat(recordsOf(COMMANDS)).hasSize(1);

        assertThat(edit(id, mended, operator)).isEqualTo("202 ");
        await().until(() -> get("/api/prescriptions/" + key).statusCode() == 200);
    }

    @Test
    void rejectsScopesInAPatientEvent() {
        HttpResponse<String> appended = post(
                "/api/patients/" + key + "/events",
                JSON,
                """
                        {"type":"patient.profile.created","data":{"lastName":"x"}}""");
        assertThat(appended.statusCode()).isEqualTo(202);
        ConsumerRecord<byte[], byte[]> event = recordsOf(PATIENTS).get(0);
        ProducerRecord<byte[], byte[]> letter = new ProducerRecord<>(PATIENTS + ".dlq", event.key(), event.value());
        for (Header header : event.headers()) {
            letter.headers().add(header);
        }
        letter.headers().add("dead-letter-id", bytes(run));
        try {
            CompressedBatch.send(brokers(), MIB, List.of(letter));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        await().until(() -> get(PATH + "/" + run).statusCode() == 200);
        JsonNode decoded = json(get(PATH + "/" + run).body()).path("decoded");
        ObjectNode edit = decoded.deepCopy();
        ObjectNode security = (ObjectNode) edit.at("/metadata/security");

        security.putObject("claims").putArray("scope").add("*");
        assertThat(edit(run, edit.toString(), TOKENS.sandbox()))
                .endsWith("/metadata/security/claims/scope is not yours");
        security.putNull("claims");
        security.put("principal", "dr-1");
        assertThat(edit(run, edit.toString(), TOKENS.sandbox())).endsWith("/metadata/security/principal is not yours");
        security.put("principal", "sandbox");
        ((ObjectNode) edit.path("metadata")).put("eventType", "patient.deceased");
        assertThat(edit(run, edit.toString(), TOKENS.of("sandbox", "dead-letters.operate")))
                .startsWith("403 an edit in your own name needs the scope patients.write");
        ((ObjectNode) edit.path("metadata"))
                .put("eventType", "patient.profile.created")
                .put("eventId", UUID.randomUUID().toString());
        assertThat(edit(run, edit.toString(), TOKENS.sandbox()))
                .isEqualTo("400 /metadata/eventId: differs from the dead letter");

        edit = decoded.deepCopy();
        ((ObjectNode) edit.path("payload")).put("firstName", "y");
        assertThat(edit(run, edit.toString(), TOKENS.of("sandbox", "dead-letters.operate")))
                .isEqualTo("202 ");
    }

    private String letter(String topic, String recordKey, String value, Map<String, String> headers) {
        String id = UUID.randomUUID().toString();
        Map<String, String> all = new HashMap<>(headers);
        all.put("dead-letter-id", id);
        send(topic + ".dlq", recordKey, bytes(value), all);
        await().until(() -> get(PATH + "/" + id).statusCode() == 200);
        return id;
    }

    private String awaitLetter() {
        await().until(() -> json(get(PATH + "?key=" + key).body()).size() == 1);
        return json(get(PATH + "?key=" + key).body()).get(0).path("id").asText();
    }

    /** The status, and the error where there is one. */
    private String edit(String id, String value, String token) {
        HttpResponse<String> answer = exchange(HttpRequest.newBuilder(uri(PATH + "/" + id + "/reprocess"))
                .headers("Authorization", token, "Content-Type", JSON)
                .POST(HttpRequest.BodyPublishers.ofString(value)));
        return answer.statusCode() + " " + json(answer.body()).path("error").asText();
    }

    private byte[] content(String path, String query) {
        HttpResponse<byte[]> answer = download(path + "/content?" + query);
        assertThat(answer.statusCode()).as(query).isEqualTo(200);
        return answer.body();
    }

    private void attempt(String id, long timestamp, byte[] edit, String stack) {
        jdbc.sql(
                        """
                        insert into dead_letter_attempt (tenant, letter, original_topic, key_digest, value_digest, edited_value, sent_by,
                                                         reason, reprocess_timestamp, failed_at, error_class, error_message, error_stack)
                        select tenant, seq, original_topic, key_digest, sha256(:edit), :edit, repeat('😀', 256), repeat('😀', 256),
                               :timestamp, 1, 'Hostile', repeat(E'\\x01', 2000), :stack from dead_letter where id = :id""")
                .param("edit", edit)
                .param("timestamp", timestamp)
                .param("stack", stack)
                .param("id", id)
                .update();
    }

    private List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic) {
        return records(topic).stream()
                .filter(record -> Arrays.equals(record.key(), bytes(key)))
                .toList();
    }

    private String command(String type, String prescription, String name) {
        return """
                {"commandId":"c-%s","commandType":"%s","aggregateId":"%s","timestamp":1,"userId":"sandbox",\
                "payload":{"patientId":"%s","medication":{"name":"%s"}}}"""
                .formatted(run, type, prescription, key, name);
    }
}
