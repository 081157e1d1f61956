package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.transaction.support.TransactionTemplate;
import routes.CompressedBatch;
import routes.RuntimeIT;
import routes.platform.Sha256;

class DeadletterIT extends RuntimeIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String UPDATED = "medication.prescription.updated";
    private static final String LETTERS = CREATED + ".dlq";
    private static final String JSON = "application/json";
    private static final String PATH = "/api/dead-letters";

    @Autowired
    private Admin admin;

    private final String run = UUID.randomUUID().toString().substring(0, 8);
    private final String key = "rx-" + run;
    private final String patient = "patient-" + run;

    @Autowired
    private TransactionTemplate transactions;

    @BeforeAll
    static void patience() {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
        Awaitility.setDefaultPollInterval(Duration.ofMillis(200));
    }

    @Test
    void deadLettersARecordThatThePharmacyCannotRead() {
        byte[] poison = {'{', (byte) 0xff, 0, '"'};
        send(CREATED, key, poison, Map.of("correlation-id", "visit-1"));

        JsonNode letter = awaitLetter(key);

        assertThat(letter.path("originalTopic").asText()).isEqualTo(CREATED);
        assertThat(letter.path("originalPartition").asInt()).isBetween(0, 5);
        assertThat(letter.path("originalOffset").isIntegralNumber()).isTrue();
        assertThat(letter.path("errorMessage").asText()).isEqualTo("not valid JSON: not UTF-8");
        assertThat(letter.path("errorClass").asText()).isEqualTo("MalformedJsonException");
        assertThat(letter.path("messageKey").asText()).isEqualTo(key);
        assertThat(letter.path("status").asText()).isEqualTo("NEW");
        assertThat(letter.path("attempts").asInt()).isEqualTo(1);
        assertThat(letter.has("value")).isFalse();
        JsonNode detail = detail(letter);
        assertThat(raw(detail.path("value"))).isEqualTo(poison);
        assertThat(detail.at("/value/text").isNull()).isTrue();
        assertThat(detail.path("decoded").isNull()).isTrue();
        assertThat(detail.at("/problems/0").asText()).isEqualTo("not valid JSON: not UTF-8");
        assertThat(detail.path("consumerGroup").asText()).isEqualTo("pharmacy-prescription-processor");
        assertThat(detail.path("errorStack").asText()).startsWith("routes.platform.error.MalformedJsonException\n");
        assertThat(headersOf(detail)).contains("correlation-id=visit-1");
        await().untilAsserted(() -> assertThat(management("/observe/metrics").body())
                .containsPattern("event_broker_dead_letters_total\\{.*topic=\"" + LETTERS + "\".*\\} [1-9]"));
    }

    @Test
    void namesTheFailureByItsClass() {
        send(CREATED, key + "-json", bytes("{"), Map.of());
        send(
                CREATED,
                key + "-schema",
                bytes(event(key).replace("medication\":{\"name", "medication\":{\"nome")),
                Map.of());
        send(
                CREATED,
                key + "-metadata",
                bytes(event(key).replace(",\"tenant\":\"default\"", "")),
                Map.of("tenant", "x".repeat(300)));

        assertThat(awaitLetter(key + "-json").path("errorClass").asText()).isEqualTo("MalformedJsonException");
        assertThat(awaitLetter(key + "-schema").path("errorClass").asText()).isEqualTo("SchemaViolationException");
        assertThat(awaitLetter(key + "-metadata").path("errorClass").asText()).isEqualTo("InvalidMetadataException");
    }

    static Stream<Arguments> contents() {
        byte[] random = new byte[1_048_576];
        new Random(1).nextBytes(random);
        return Stream.of(
                Arguments.of("text", bytes("k"), bytes("""
                        {"a":1}""")),
                Arguments.of("binary", new byte[] {0, (byte) 0xff, 1}, new byte[] {0, 1, 2, (byte) 0xfe, (byte) 0xff}),
                Arguments.of("a tombstone", bytes("k"), null),
                Arguments.of("no key", null, bytes("v")),
                Arguments.of("nothing at all", null, null),
                Arguments.of("an empty value", new byte[0], new byte[0]),
                Arguments.of("a MiB that does not compress", bytes("k"), random),
                Arguments.of("a key of 100 kB", Arrays.copyOf(random, 100_000), bytes("v")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("contents")
    void keepsEveryByte(String what, byte[] recordKey, byte[] value) {
        String id = UUID.randomUUID().toString();
        List<Map.Entry<String, byte[]>> headers = letterHeaders(id);
        headers.add(0, Map.entry("twice", bytes("1")));
        headers.add(Map.entry("twice", new byte[] {0, (byte) 0xff}));
        headers.add(Map.entry("Twice", bytes("3")));
        headers.add(Map.entry("empty", new byte[0]));

        write(LETTERS, recordKey, value, headers);

        JsonNode detail = awaitDetail(id);
        assertThat(sha256(content(id, "value"))).isEqualTo(sha256(value));
        assertThat(sha256(content(id, "key"))).isEqualTo(sha256(recordKey));
        assertThat(detail.at("/value/bytes").asInt()).isEqualTo(value == null ? 0 : value.length);
        assertThat(detail.at("/key/bytes").asInt()).isEqualTo(recordKey == null ? 0 : recordKey.length);
        List<String> kept = new ArrayList<>();
        detail.path("headers")
                .forEach(header -> kept.add(header.path("name").asText() + "=" + sha256(raw(header.path("value")))));
        assertThat(kept)
                .containsExactlyElementsOf(headers.stream()
                        .map(header -> header.getKey() + "=" + sha256(header.getValue()))
                        .toList());
    }

    @Test
    void savesADuplicateOnce() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes("{"), letterHeaders(id));
        write(LETTERS, bytes(key), bytes("{"), letterHeaders(id));
        write(
                LETTERS,
                bytes(key),
                bytes("{last"),
                letterHeaders(UUID.randomUUID().toString()));

        awaitLetters(key, 2);
        assertThat(letters(key))
                .filteredOn(letter -> letter.path("id").asText().equals(id))
                .hasSize(1);
    }

    @Test
    void keepsBothWhenTwoDeadLettersShareAnId() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes("{"), letterHeaders(id));
        write(LETTERS, bytes(key), bytes("{other"), letterHeaders(id));
        write(LETTERS, bytes(key), bytes("{other"), letterHeaders(id));

        awaitLetters(key, 3);
        assertThat(letters(key))
                .extracting(letter -> letter.path("id").asText())
                .doesNotHaveDuplicates();
    }

    @Test
    void keepsOneDeadLetterPerGroupAndPosition() {
        String id = UUID.randomUUID().toString();
        List<Map.Entry<String, byte[]>> otherGroup = letterHeaders(id);
        otherGroup.removeIf(header -> header.getKey().equals("consumer-group"));
        otherGroup.add(Map.entry("consumer-group", bytes("activity-log")));
        List<Map.Entry<String, byte[]>> otherPlace = letterHeaders(id);
        otherPlace.removeIf(header -> header.getKey().equals("original-offset"));
        otherPlace.add(Map.entry("original-offset", bytes("7")));
        for (List<Map.Entry<String, byte[]>> headers : List.of(letterHeaders(id), otherGroup, otherPlace)) {
            write(LETTERS, bytes(key), bytes("{"), headers);
        }
        write(LETTERS, bytes(key), bytes("{last"), List.of());

        awaitLetters(key, 4);
    }

    @Test
    void acceptsDeadLettersThatServicesWriteByHand() {
        write(LETTERS, bytes(key + "-bare"), bytes(event(key)), List.of());
        write(
                LETTERS,
                bytes(key + "-malformed"),
                bytes("{"),
                List.of(
                        Map.entry("original-topic", bytes("no topic!")),
                        Map.entry("original-partition", bytes("NaN")),
                        Map.entry("original-offset", bytes("-1")),
                        Map.entry("timestamp", bytes("yesterday")),
                        Map.entry("dead-letter-id", bytes("../../summary")),
                        Map.entry("error-message", bytes("a\0b")),
                        Map.entry("error-stack", bytes("TypeError [ERR_X]: Cannot read\n    at x.js")),
                        Map.entry("consumer-group", new byte[] {0}),
                        Map.entry("a\0name", bytes("x"))));
        write(
                LETTERS,
                bytes(key + "-text-id"),
                bytes("{"),
                List.of(Map.entry("dead-letter-id", bytes("portal-" + run)), Map.entry("error-stack", bytes("Error"))));

        JsonNode bare = awaitLetter(key + "-bare");
        assertThat(bare.path("originalTopic").asText()).isEqualTo(CREATED);
        assertThat(bare.path("originalPartition").isNull()).isTrue();
        assertThat(bare.path("errorClass").asText()).isEqualTo("Unknown");
        assertThat(bare.path("timestamp").asLong())
                .isBetween(
                        Instant.now().minusSeconds(120).toEpochMilli(),
                        Instant.now().toEpochMilli());
        JsonNode malformed = detail(awaitLetter(key + "-malformed"));
        assertThat(malformed.path("originalTopic").asText()).isEqualTo(CREATED);
        assertThat(malformed.path("originalOffset").isNull()).isTrue();
        assertThat(malformed.path("errorClass").asText()).isEqualTo("TypeError");
        assertThat(malformed.path("errorMessage").asText()).isEqualTo("a\uFFFDb");
        assertThat(malformed.path("consumerGroup").isNull()).isTrue();
        assertThat(headersOf(malformed)).contains("original-partition=NaN", "a\0name=x", "error-message=a\0b");
        assertThat(reprocess(malformed.path("id").asText()).statusCode()).isEqualTo(409);
        assertThat(get(PATH + "/portal-"
                                + awaitLetter(key + "-text-id")
                                        .path("id")
                                        .asText()
                                        .replace("portal-", ""))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void belongsToTheTenantOfTheEnvelopeElseOfTheHeader() {
        write(LETTERS, bytes(key + "-1"), bytes("{"), List.of(Map.entry("tenant", bytes("other"))));
        write(LETTERS, bytes(key + "-2"), bytes(event(key).replace("\"default\"", "\"other\"")), List.of());
        write(
                LETTERS,
                bytes(key + "-4"),
                bytes(event(key).replace("\"default\"", "\"other\"")),
                List.of(Map.entry("tenant", bytes("default"))));
        write(LETTERS, bytes(key + "-3"), bytes("{"), List.of(Map.entry("tenant", bytes("default"))));

        awaitLetter(key + "-3");
        await().untilAsserted(() -> assertThat(jdbc.sql(
                                "select convert_from(key, 'UTF8') from dead_letter where tenant = 'other' and key_digest in (sha256(?), sha256(?), sha256(?))")
                        .params(bytes(key + "-1"), bytes(key + "-2"), bytes(key + "-4"))
                        .query(String.class)
                        .list())
                .containsExactlyInAnyOrder(key + "-1", key + "-2", key + "-4"));
        assertThat(letters(key + "-1")).isEmpty();
        assertThat(letters(key + "-4")).isEmpty();
        String foreign = jdbc.sql("select id from dead_letter where tenant = 'other' and key_digest = sha256(?)")
                .param(bytes(key + "-1"))
                .query(String.class)
                .single();
        assertThat(get(PATH + "/" + foreign).statusCode()).isEqualTo(404);
        assertThat(reprocess(foreign).statusCode()).isEqualTo(404);
        assertThat(discard(foreign).statusCode()).isEqualTo(404);
        assertThat(count("{\"key\":\"" + key + "-1\"}")).isZero();
        UUID job = UUID.randomUUID();
        jdbc.sql(
                        "insert into reprocess_job (id, tenant, state, filter, rate, total, created_by) values (?, 'other', 'CANCELLED', '{}', 1, 0, 'x')")
                .param(job)
                .update();
        assertThat(get("/api/jobs/" + job).statusCode()).isEqualTo(404);
        assertThat(post("/api/jobs/" + job + "/cancel", JSON, "").statusCode()).isEqualTo(404);
        assertThat(get("/api/jobs/no-uuid").statusCode()).isEqualTo(400);
    }

    @Test
    void reachesThePharmacyWhenReprocessed() {
        String id = UUID.randomUUID().toString();
        List<Map.Entry<String, byte[]>> headers = letterHeaders(id);
        headers.add(0, Map.entry("x-first", bytes("1")));
        headers.add(Map.entry("x-first", new byte[] {(byte) 0xff}));
        write(LETTERS, bytes(key), bytes(event(key)), headers);
        awaitDetail(id);

        HttpResponse<String> answer = reprocess(id);

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(json(answer.body()).path("status").asText()).isEqualTo("REPROCESSED");
        awaitOrder();
        ConsumerRecord<byte[], byte[]> sent = recordsOf(key).get(0);
        assertThat(sent.value()).isEqualTo(bytes(event(key)));
        assertThat(Stream.of(sent.headers().toArray()).map(Header::key))
                .containsExactly("x-first", "x-first", "reprocessed", "original-error", "reprocess-timestamp");
        assertThat(sent.headers().toArray()[1].value()).isEqualTo(new byte[] {(byte) 0xff});
        assertThat(header(sent, "reprocessed")).isEqualTo("true");
        assertThat(header(sent, "original-error")).isEqualTo("it was broken");
        assertThat(header(sent, "reprocess-timestamp")).matches("\\d{13}");
        JsonNode reprocessing = awaitDetail(id).at("/reprocessings/0");
        assertThat(reprocessing.path("by").asText()).isEqualTo("sandbox");
        assertThat(reprocessing.path("edited").asBoolean()).isFalse();
        assertThat(reprocessing.path("failedAt").isNull()).isTrue();
        assertThat(reprocessing.path("reprocessTimestamp").asText()).isEqualTo(header(sent, "reprocess-timestamp"));
    }

    @Test
    void sendsOnceWhenTenAskAtOnce() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders(id));
        awaitDetail(id);

        List<Integer> answers = IntStream.range(0, 10)
                .parallel()
                .mapToObj(i -> reprocess(id).statusCode())
                .sorted()
                .toList();

        assertThat(answers).containsExactly(202, 409, 409, 409, 409, 409, 409, 409, 409, 409);
        assertThat(outbox(key)).isEqualTo(1);
        assertThat(json(reprocess(id).body()).path("error").asText())
                .isEqualTo("the dead letter is REPROCESSED: it was sent again and has not failed since");
    }

    @Test
    void rejectsAnEditInTheNameOfAnotherPrincipal() {
        String original = event(key).replace("\"sandbox\"", "\"dr-1\"").replace("\"medication\"", "\"drug\"");
        send(CREATED, key, bytes(original), Map.of());
        String id = awaitLetter(key).path("id").asText();
        String mended = original.replace("\"drug\"", "\"medication\"");
        String security = """
                {"principal":"dr-1","tenant":"default"}""";

        Map<String, String> refused = Map.of(
                "principal", """
                        {"principal":"dr-2"}""",
                "tenant",
                        """
                        {"principal":"sandbox","tenant":"default","claims":{"tenant":"other"}}""",
                "scope", """
                        {"principal":"sandbox","claims":{"scope":"tenants.all"}}""");
        refused.forEach((place, said) -> {
            HttpResponse<String> answer = edit(id, mended.replace(security, said));
            assertThat(answer.statusCode()).as(place).isEqualTo(400);
            assertThat(json(answer.body()).path("error").asText())
                    .startsWith("/metadata/security: differs from the dead letter, and /metadata/security/")
                    .endsWith(place + " is not yours");
        });

        assertThat(edit(id, mended).statusCode()).as("as it was").isEqualTo(202);
        awaitOrder();
    }

    @Test
    void acceptsOnlyAnEditThatItsTopicTakes() {
        send(CREATED, key, bytes("{\"truncated\":"), Map.of());
        String id = awaitLetter(key).path("id").asText();

        HttpResponse<String> broken = edit(id, "{\"id\":");
        HttpResponse<String> unfit =
                edit(id, event(key).replace("\"name\"", "\"nome\"").replace("patientId", "who"));
        HttpResponse<String> foreign = edit(id, event(key).replace("\"default\"", "\"other\""));
        HttpResponse<String> ahead = edit(id, event(key, 253_402_300_799_999L));

        assertThat(ahead.statusCode()).isEqualTo(400);
        assertThat(json(ahead.body()).path("error").asText()).isEqualTo("the timestamp is more than 5 minutes ahead");
        assertThat(broken.statusCode()).isEqualTo(400);
        assertThat(json(broken.body()).path("error").asText()).startsWith("body: not valid JSON at line 1, column");
        assertThat(unfit.statusCode()).isEqualTo(400);
        assertThat(json(unfit.body()).path("error").asText())
                .isEqualTo("body /payload/medication/name: is required; and 1 more");
        assertThat(foreign.statusCode()).isEqualTo(400);
        assertThat(json(foreign.body()).path("error").asText())
                .isEqualTo("/metadata/security/tenant: differs from the dead letter");
        assertThat(awaitDetail(id).path("status").asText()).isEqualTo("NEW");
        assertThat(outbox(key)).isZero();

        HttpResponse<String> fixed = edit(id, event(key));

        assertThat(fixed.statusCode()).isEqualTo(202);
        awaitOrder();
        JsonNode detail = awaitDetail(id);
        assertThat(detail.at("/value/text").asText()).isEqualTo("{\"truncated\":");
        assertThat(detail.at("/reprocessings/0/edited").asBoolean()).isTrue();
        assertThat(detail.at("/reprocessings/0/reason").asText()).isEqualTo("mended");
        assertThat(detail.at("/reprocessings/0/editedValue/text").asText()).isEqualTo(event(key));
    }

    @Test
    void countsEachFailureUntilItParksTheDeadLetter() {
        send(CREATED, key, bytes("{\"truncated\":"), Map.of());
        String id = awaitLetter(key).path("id").asText();

        assertThat(reprocess(id).statusCode()).isEqualTo(202);
        await().untilAsserted(() -> assertThat(state(id)).isEqualTo("NEW 2"));
        assertThat(reprocess(id).statusCode()).isEqualTo(202);
        await().untilAsserted(() -> assertThat(state(id)).isEqualTo("PARKED 3"));

        assertThat(letters(key)).hasSize(1);
        assertThat(awaitDetail(id).path("reprocessings").findValuesAsText("errorClass"))
                .containsExactly("MalformedJsonException", "MalformedJsonException");
        HttpResponse<String> refused = reprocess(id);
        assertThat(refused.statusCode()).isEqualTo(409);
        assertThat(json(refused.body()).path("error").asText())
                .isEqualTo("the dead letter is PARKED, it failed 3 times: it can only be reprocessed with a new value");
        assertThat(count("{\"key\":\"" + key + "\"}")).isZero();
        assertThat(edit(id, event(key)).statusCode()).isEqualTo(202);
        awaitOrder();
        assertThat(state(id)).isEqualTo("REPROCESSED 3");
    }

    @Test
    void findsADeadLetterInUpperAndLowerCase() {
        String lower = UUID.randomUUID().toString();
        String upper = lower.toUpperCase(Locale.ROOT);
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders(upper));
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders(lower));

        assertThat(awaitDetail(upper).path("id").asText()).isEqualTo(lower);
        assertThat(letters(key)).hasSize(1);
        assertThat(reprocess(upper).statusCode()).isEqualTo(202);
        assertThat(state(lower)).startsWith("REPROCESSED");
        assertThat(discard(upper).statusCode()).isEqualTo(409);
    }

    @Test
    void countsOneFailureWhenTheOutboxSendsTwice() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes("{"), letterHeaders(id));
        awaitDetail(id);
        reprocess(id);
        String timestamp =
                awaitDetail(id).at("/reprocessings/0/reprocessTimestamp").asText();
        for (int i = 0; i < 3; i++) {
            List<Map.Entry<String, byte[]>> again =
                    letterHeaders(UUID.randomUUID().toString());
            again.add(Map.entry("reprocessed", bytes("true")));
            again.add(Map.entry("reprocess-timestamp", bytes(timestamp)));
            write(LETTERS, bytes(key), bytes("{"), again);
        }
        write(
                LETTERS,
                bytes(key),
                bytes("{last"),
                letterHeaders(UUID.randomUUID().toString()));

        awaitLetters(key, 2);
        assertThat(state(id)).isEqualTo("NEW 2");
    }

    @Test
    void savesANewOneWhenItOnlyClaimsAReprocessing() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes("{"), letterHeaders(id));
        awaitDetail(id);
        reprocess(id);
        long timestamp =
                awaitDetail(id).at("/reprocessings/0/reprocessTimestamp").asLong();
        Map<String, byte[]> spoofs = new LinkedHashMap<>();
        spoofs.put(String.valueOf(timestamp + 1_000_000), bytes("{"));
        spoofs.put(String.valueOf(timestamp), bytes("{other"));
        spoofs.put("9".repeat(30), bytes("{"));
        spoofs.put("", bytes("{"));
        spoofs.forEach((claimed, value) -> {
            List<Map.Entry<String, byte[]>> headers =
                    letterHeaders(UUID.randomUUID().toString());
            headers.add(Map.entry("reprocessed", bytes("true")));
            headers.add(Map.entry("reprocess-timestamp", bytes(claimed)));
            headers.add(Map.entry("attempts", bytes("99")));
            write(LETTERS, bytes(key), value, headers);
        });

        // the letter itself may have failed by now: its value is poison
        awaitLetters(key, 5);
        assertThat(letters(key))
                .filteredOn(letter -> !letter.path("id").asText().equals(id))
                .allSatisfy(
                        letter -> assertThat(letter.path("attempts").asInt()).isEqualTo(1));
    }

    @Test
    void decodesWithTodaysSchemaAndShowsTheBytes() {
        String fits = UUID.randomUUID().toString();
        String unfit = UUID.randomUUID().toString();
        String unknown = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders(fits));
        String former = event(key).replace("\"medication\":{\"name\":\"Amoxicillin\"}", "\"drug\":\"Amoxicillin\"");
        write(LETTERS, bytes(key), bytes(former), letterHeaders(unfit));
        write(LETTERS, bytes(key), bytes("{}"), letterHeaders(unknown));
        awaitDetail(unknown);
        jdbc.sql("update dead_letter set original_topic = 'not.in.the.contract' where id = ?")
                .param(unknown)
                .update();

        JsonNode detail = awaitDetail(fits);
        assertThat(detail.at("/decoded/payload/medication/name").asText()).isEqualTo("Amoxicillin");
        assertThat(detail.path("problems")).isEmpty();
        assertThat(detail.at("/value/text").asText()).isEqualTo(event(key));
        detail = awaitDetail(unfit);
        assertThat(detail.path("decoded").isNull()).isTrue();
        assertThat(detail.at("/problems/0").asText()).isEqualTo("/payload/medication: is required");
        assertThat(detail.at("/value/text").asText()).isEqualTo(former);
        assertThat(awaitDetail(unknown).at("/problems/0").asText()).isEqualTo("the topic is not in the contract");
        assertThat(json(reprocess(unknown).body()).path("error").asText())
                .isEqualTo("the original topic is not in the contract");
    }

    @Test
    void sendsNothingThatItsTopicDoesNotTake() {
        byte[] random = new byte[1_048_576];
        new Random(2).nextBytes(random);
        String large = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), random, letterHeaders(large));
        awaitDetail(large);

        HttpResponse<String> answer = reprocess(large);

        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(json(answer.body()).path("error").asText()).isEqualTo("the record is larger than its topic accepts");
        String job = begin("{\"key\":\"" + key + "\"}");
        assertThat(awaitEnd(job).path("skipped").asInt()).isEqualTo(1);
        assertThat(outbox(key)).isZero();
    }

    @Test
    void discardsWithAReason() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes("{"), letterHeaders(id));
        awaitDetail(id);

        assertThat(post(PATH + "/" + id + "/discard", JSON, "{}").statusCode()).isEqualTo(400);
        HttpResponse<String> answer = discard(id);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(json(answer.body()).path("status").asText()).isEqualTo("DISCARDED");
        assertThat(awaitDetail(id).at("/discarded/reason").asText()).isEqualTo("a test");
        assertThat(awaitDetail(id).at("/discarded/by").asText()).isEqualTo("sandbox");
        assertThat(discard(id).statusCode()).isEqualTo(409);
        assertThat(json(reprocess(id).body()).path("error").asText())
                .isEqualTo("the dead letter is DISCARDED: only a NEW one can be reprocessed");
        assertThat(edit(id, event(key)).statusCode()).isEqualTo(409);
    }

    @Test
    void findsByEachFilterPageByPage() {
        String error = "Broken" + run;
        for (int i = 0; i < 5; i++) {
            List<Map.Entry<String, byte[]>> headers = letterHeaders(error + "-" + i, error);
            headers.set(3, Map.entry("timestamp", bytes(String.valueOf(1_700_000_000_000L + i))));
            write(LETTERS, bytes(key + "-" + i), bytes("{"), headers);
            // they are on several partitions
            awaitDetail(error + "-" + i);
        }
        discard(error + "-0");

        assertThat(ids("?errorClass=" + error))
                .containsExactly(error + "-4", error + "-3", error + "-2", error + "-1", error + "-0");
        assertThat(ids("?errorClass=" + error + "&status=DISCARDED")).containsExactly(error + "-0");
        assertThat(ids("?errorClass=" + error + "&key=" + key + "-3")).containsExactly(error + "-3");
        assertThat(ids("?errorClass=" + error + "&topic=" + CREATED)).hasSize(5);
        assertThat(ids("?errorClass=" + error + "&topic=medication.prescription.updated"))
                .isEmpty();
        assertThat(ids("?errorClass=" + error + "&from=1700000000001&to=1700000000003"))
                .containsExactly(error + "-2", error + "-1");
        assertThat(ids("?errorClass=" + error + "&from=2023-11-14T22:13:20.003Z"))
                .containsExactly(error + "-4", error + "-3");
        List<String> paged = new ArrayList<>();
        String next = PATH + "?limit=2&errorClass=" + error;
        int pages = 0;
        for (; next != null; pages++) {
            HttpResponse<String> page = get(next);
            json(page.body()).forEach(letter -> paged.add(letter.path("id").asText()));
            next = next(page);
        }
        assertThat(pages).isEqualTo(3);
        assertThat(paged).containsExactlyElementsOf(ids("?errorClass=" + error));
        assertThat(count("{\"errorClass\":\"" + error
                        + "\",\"from\":1700000000001,\"to\":\"2023-11-14T22:13:20.003Z\"}"))
                .isEqualTo(2);
        JsonNode summary = json(get(PATH + "/summary?errorClass=" + error).body());
        assertThat(summary).hasSize(1);
        assertThat(summary.get(0).toString())
                .isEqualTo("{\"originalTopic\":\"" + CREATED + "\",\"errorClass\":\"" + error
                        + "\",\"count\":5,\"statuses\":{\"NEW\":4,\"REPROCESSED\":0,\"DISCARDED\":1,\"PARKED\":0}}");
    }

    @ParameterizedTest(name = "{0} {1} {2}: {3}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    GET  | ?limit=0                 |                            | query parameter limit: must be at least 1
                    GET  | ?status=new              |                            | query parameter status: must be one of NEW, REPROCESSED, DISCARDED, PARKED
                    GET  | ?from=yesterday          |                            | query parameter from: must be epoch milliseconds
                    GET  | ?to=2026-13-01T00:00:00Z |                            | query parameter to: must be epoch
                    GET  | ?key=a%00b               |                            | query parameter key: must be at most 1024 characters
                    GET  | ?topic=%00               |                            | query parameter topic: must be 1 to 256 characters
                    GET  | ?errorclass=X            |                            | query parameter errorclass: is not known
                    GET  | ?%3Cscript%3E=1          |                            | a query parameter: is not known
                    GET  | ?topic=a&topic=b         |                            | query parameter topic: is given twice
                    GET  | ?cursor='%20or%201=1     |                            | query parameter cursor: must be the cursor of the Link header
                    GET  | ?keySha256=ab            |                            | query parameter keySha256: must be 64 hexadecimal digits
                    GET  | /-x                      |                            | path parameter id: must be 1 to 128 letters
                    GET  | /x/content?part=all      |                            | query parameter part: must be one of value, key
                    GET  | /x/content?part=header   |                            | query parameter number: is required
                    GET  | /x/content?number=1      |                            | query parameter number: is not for part=value
                    POST | /reprocess?dryrun=true   | {}                         | query parameter dryrun: is not known
                    POST | /reprocess?dryRun=maybe  | {}                         | query parameter dryRun:
                    POST | /reprocess               | {"errorclass":"X"}         | body /errorclass: is not known; known are all, topic
                    POST | /reprocess               | {"<script>":1}             | body: has a property that is not known; known are all, topic
                    POST | /reprocess               | {"status":"OLD"}           | body /status: must be one of NEW, REPROCESSED
                    POST | /reprocess               | {"from":[1]}               | body /from: must be text
                    POST | /reprocess               | {"to":"soon"}              | body /to: must be epoch milliseconds
                    POST | /reprocess               | {"topic":7}                | body /topic: must be a string or null
                    POST | /reprocess               | {"key":"a\\u0000b"}        | body /key: must be text without
                    POST | /reprocess               | {"rate":0}                 | body /rate: must be at least 1
                    POST | /reprocess               | {"rate":1.5}               | body /rate: must be a whole number or null
                    POST | /reprocess               | {"rate":1e99}              | body /rate: must be at most 10000
                    POST | /reprocess               | {"reason":"a\\nb"}         | body /reason: must be 1 to 256 characters
                    POST | /reprocess               | []                         | body: must be an object
                    POST | /reprocess               | {}                         | no dead letters are selected: give one or more of topic, errorClass, key
                    POST | /reprocess?dryRun=true   | {"status":"NEW"}           | no dead letters are selected
                    POST | /reprocess               | {"all":true,"topic":"x"}   | /all: is true, although there is a filter
                    POST | /reprocess               | ``                         | empty, expected JSON
                    """)
    void refuses(String method, String path, String body, String error) {
        int before = jdbc.sql("select count(*) from reprocess_job")
                .query(Integer.class)
                .single();

        HttpResponse<String> answer = method.equals("GET") ? get(PATH + path) : post(PATH + path, JSON, body);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).path("error").asText()).contains(error);
        assertThat(jdbc.sql("select count(*) from reprocess_job")
                        .query(Integer.class)
                        .single())
                .isEqualTo(before);
    }

    @Test
    void sendsTheCountOfTheDryRunInKeyOrder() {
        String error = "Bulk" + run;
        for (int i = 0; i < 60; i++) {
            write(LETTERS, bytes(key + "-" + i % 3), bytes(event(key, i)), letterHeaders(error + "-" + i, error));
        }
        await().untilAsserted(() ->
                assertThat(count("{\"errorClass\":\"" + error + "\"}")).isEqualTo(60));
        discard(error + "-7");
        int counted = count("{\"errorClass\":\"" + error + "\"}");

        String job = begin("{\"errorClass\":\"" + error + "\",\"rate\":1000,\"reason\":\"repaired\"}");

        JsonNode ended = awaitEnd(job);
        assertThat(counted).isEqualTo(59);
        assertThat(ended.path("total").asInt()).isEqualTo(counted);
        assertThat(ended.path("done").asInt()).isEqualTo(counted);
        assertThat(ended.path("skipped").asInt()).isZero();
        assertThat(ended.path("state").asText()).isEqualTo("DONE");
        assertThat(ended.path("createdBy").asText()).isEqualTo("sandbox");
        assertThat(ended.at("/filter/errorClass").asText()).isEqualTo(error);
        await().untilAsserted(() -> assertThat(recordsStarting(key)).hasSize(counted));
        Map<String, List<Long>> perKey = recordsStarting(key).stream()
                .collect(Collectors.groupingBy(
                        record -> text(record.key()),
                        Collectors.mapping(
                                record -> json(text(record.value()))
                                        .at("/metadata/timestamp")
                                        .asLong(),
                                Collectors.toList())));
        assertThat(perKey).hasSize(3);
        perKey.values().forEach(order -> assertThat(order).isSorted());
        JsonNode reprocessing = awaitDetail(error + "-0").at("/reprocessings/0");
        assertThat(reprocessing.path("jobId").asText()).isEqualTo(job);
        assertThat(reprocessing.path("reason").asText()).isEqualTo("repaired");
    }

    @Test
    void skipsADeadLetterThatFailsDuringTheJob() {
        String error = "Again" + run;
        for (int i = 0; i < 20; i++) {
            write(LETTERS, bytes(key), bytes("{\"truncated\":" + i), letterHeaders(error + "-" + i, error));
        }
        await().untilAsserted(() -> assertThat(ids("?errorClass=" + error)).hasSize(20));

        JsonNode ended = awaitEnd(begin("{\"key\":\"" + key + "\",\"rate\":10}"));

        assertThat(ended.path("done").asInt()).isEqualTo(20);
        await().untilAsserted(() -> assertThat(letters(key)).hasSize(20).allSatisfy(letter -> assertThat(
                        letter.path("attempts").asInt())
                .isEqualTo(2)));
        assertThat(outbox(key)).isEqualTo(20);
        assertThat(recordsOf(key)).hasSize(20);
    }

    @Test
    void cancelsAJobWithinASecond() {
        String error = "Cancel" + run;
        for (int i = 0; i < 30; i++) {
            write(LETTERS, bytes(key + "-" + i), bytes(event(key)), letterHeaders(error + "-" + i, error));
        }
        await().untilAsserted(() ->
                assertThat(count("{\"errorClass\":\"" + error + "\"}")).isEqualTo(30));
        String job = begin("{\"errorClass\":\"" + error + "\",\"rate\":5}");
        await().untilAsserted(() -> assertThat(job(job).path("done").asInt()).isGreaterThan(2));

        long asked = System.nanoTime();
        HttpResponse<String> answer = post("/api/jobs/" + job + "/cancel?reason=too+many", JSON, "");
        long answered = System.nanoTime() - asked;

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(json(answer.body()).path("state").asText()).isEqualTo("CANCELLED");
        assertThat(json(answer.body()).path("cancelledBy").asText()).isEqualTo("sandbox");
        assertThat(json(answer.body()).path("cancelReason").asText()).isEqualTo("too many");
        assertThat(Duration.ofNanos(answered)).isLessThan(Duration.ofSeconds(1));
        int done = json(answer.body()).path("done").asInt();
        await().during(Duration.ofSeconds(2)).atMost(Duration.ofSeconds(4)).until(() -> sent(error) == done);
        assertThat(done).isLessThan(30);
        assertThat(count("{\"errorClass\":\"" + error + "\"}")).isEqualTo(30 - done);
        assertThat(post("/api/jobs/" + job + "/cancel", JSON, "").statusCode()).isEqualTo(409);
    }

    @Test
    void rejectsACancellationWhileAStepFails() {
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders("race-" + run));
        awaitDetail("race-" + run);
        jdbc.sql("create function fail_" + run + "() returns trigger language plpgsql as "
                        + "$$ begin raise exception 'never' using errcode = '22000'; end $$")
                .update();
        jdbc.sql("create trigger fail_" + run + " before insert on outbox for each row when (new.key = '" + key
                        + "'::bytea) execute function fail_" + run + "()")
                .update();
        // what makes a job FAILED waits for this test before it looks at the job
        jdbc.sql("create function hold_" + run + "() returns trigger language plpgsql as "
                        + "$$ begin if current_query() like '%''FAILED''%' then perform pg_advisory_xact_lock(hashtext('"
                        + run + "')); end if; return null; end $$")
                .update();
        jdbc.sql("create trigger hold_" + run
                        + " before update on reprocess_job for each statement execute function hold_" + run + "()")
                .update();
        try {
            AtomicReference<CompletableFuture<HttpResponse<String>>> cancellation = new AtomicReference<>();
            String job = transactions.execute(status -> {
                jdbc.sql("select pg_advisory_xact_lock(hashtext('" + run + "'))")
                        .query((row, n) -> true)
                        .single();
                String begun = begin("{\"key\":\"" + key + "\"}");
                await().until(() -> waitsInTheDatabase("update reprocess_job set state = 'FAILED'"));
                cancellation.set(CompletableFuture.supplyAsync(() -> post("/api/jobs/" + begun + "/cancel", JSON, "")));
                await().until(() -> waitsInTheDatabase("update reprocess_job\nset state = 'CANCELLED'"));
                return begun;
            });

            assertThat(cancellation.get().join().statusCode()).isEqualTo(409);
            assertThat(job(job).path("state").asText()).isEqualTo("FAILED");
            assertThat(state("race-" + run)).isEqualTo("NEW 1");
        } finally {
            jdbc.sql("drop function fail_" + run + " cascade").update();
            jdbc.sql("drop function hold_" + run + " cascade").update();
        }
    }

    private boolean waitsInTheDatabase(String statement) {
        return jdbc.sql(
                        "select exists (select 1 from pg_stat_activity where wait_event_type = 'Lock' and ltrim(query) like ?)")
                .param(statement + "%")
                .query(Boolean.class)
                .single();
    }

    @Test
    void runsOtherJobsWhileOneBacksOff() {
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders("waits-" + run));
        write(LETTERS, bytes(key + "-2"), bytes(event(key + "-2")), letterHeaders("goes-on-" + run));
        awaitDetail("waits-" + run);
        awaitDetail("goes-on-" + run);
        jdbc.sql("create function refuse_" + run + "() returns trigger language plpgsql as "
                        + "$$ begin raise exception 'refused' using errcode = '53100'; end $$")
                .update();
        jdbc.sql("create trigger refuse_" + run + " before insert on outbox for each row when (new.key = '" + key
                        + "'::bytea) execute function refuse_" + run + "()")
                .update();
        String waits;
        try {
            waits = begin("{\"key\":\"" + key + "\"}");
            assertThat(awaitEnd(begin("{\"key\":\"" + key + "-2\"}"))
                            .path("state")
                            .asText())
                    .isEqualTo("DONE");
            assertThat(job(waits).path("state").asText()).isEqualTo("RUNNING");
        } finally {
            jdbc.sql("drop function refuse_" + run + " cascade").update();
        }
        assertThat(awaitEnd(waits).path("state").asText()).isEqualTo("DONE");
    }

    @Test
    void holdsTheRateOfAJob() {
        String error = "Rate" + run;
        for (int i = 0; i < 40; i++) {
            write(LETTERS, bytes(key + "-" + i), bytes(event(key)), letterHeaders(error + "-" + i, error));
        }
        await().untilAsserted(() ->
                assertThat(count("{\"errorClass\":\"" + error + "\"}")).isEqualTo(40));

        long began = System.nanoTime();
        awaitEnd(begin("{\"errorClass\":\"" + error + "\",\"rate\":10}"));

        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isBetween(Duration.ofMillis(3500), Duration.ofSeconds(10));
    }

    @Test
    void startsOneJobPerIdempotencyKey() {
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders("job-" + run));
        awaitDetail("job-" + run);
        String body = "{\"key\":\"" + key + "\"}";

        HttpResponse<String> dry = post(PATH + "/reprocess?dryRun=true", JSON, body, "Idempotency-Key", run);
        List<String> answers = IntStream.range(0, 5)
                .parallel()
                .mapToObj(i -> post(PATH + "/reprocess", JSON, body, "Idempotency-Key", run))
                .peek(answer -> assertThat(answer.statusCode()).isEqualTo(202))
                .map(HttpResponse::body)
                .distinct()
                .toList();

        assertThat(dry.body()).isEqualTo("""
                {"count":1}""");
        assertThat(answers).hasSize(1);
        assertThat(post(PATH + "/reprocess", JSON, "{}", "Idempotency-Key", run).statusCode())
                .isEqualTo(409);
        assertThat(awaitEnd(json(answers.get(0)).path("jobId").asText())
                        .path("done")
                        .asInt())
                .isEqualTo(1);
        assertThat(outbox(key)).isEqualTo(1);
    }

    @Test
    void rollsBackWhenTheOutboxRejectsTheRecord() {
        String id = "rollback-" + run;
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders(id));
        awaitDetail(id);
        jdbc.sql("create function refuse_" + run + "() returns trigger language plpgsql as "
                        + "$$ begin raise exception 'refused' using errcode = '53100'; end $$")
                .update();
        jdbc.sql("create trigger refuse_" + run + " before insert on outbox for each row when (new.key = '" + key
                        + "'::bytea) execute function refuse_" + run + "()")
                .update();
        try {
            assertThat(reprocess(id).statusCode()).isEqualTo(503);
            String job = begin("{\"key\":\"" + key + "\"}");
            await().during(Duration.ofSeconds(1))
                    .atMost(Duration.ofSeconds(3))
                    .until(() -> job(job).path("done").asInt() == 0);
            assertThat(state(id)).isEqualTo("NEW 1");
            assertThat(awaitDetail(id).path("reprocessings")).isEmpty();
            post("/api/jobs/" + job + "/cancel", JSON, "");
        } finally {
            jdbc.sql("drop function refuse_" + run + " cascade").update();
        }
        assertThat(reprocess(id).statusCode()).isEqualTo(202);
        awaitOrder();
    }

    @Test
    void waitsForTheDatabaseAndLosesNoDeadLetter() {
        SERVERS.postgres().kill();
        try {
            write(LETTERS, bytes(key), bytes("{"), letterHeaders("down-" + run));
            assertThat(get(PATH).statusCode()).isEqualTo(503);
        } finally {
            SERVERS.postgres().start();
        }

        awaitDetail("down-" + run);
    }

    @Test
    void returnsHeadersNamedLikeItsOwnAfterTwoFailures() {
        List<Map.Entry<String, byte[]>> own = new ArrayList<>();
        own.add(header("a", "1"));
        for (String name : List.of(
                "original-topic",
                "original-partition",
                "original-offset",
                "error-message",
                "error-stack",
                "timestamp",
                "consumer-group",
                "dead-letter-id",
                "value-omitted",
                "reprocessed",
                "original-error",
                "reprocess-timestamp",
                "original-header-timestamp",
                "kafka.OVERRIDE_TOPIC",
                "CamelFileName")) {
            own.add(header(name, "theirs"));
        }
        own.add(header("none", null));
        own.add(header("timestamp", null));
        own.add(header("a", "2"));
        write(CREATED, bytes(key), bytes("{\"truncated\":"), own);

        JsonNode letter = awaitLetter(key);

        assertThat(letter.path("originalTopic").asText()).isEqualTo(CREATED);
        assertThat(detail(letter).path("consumerGroup").asText()).isEqualTo("pharmacy-prescription-processor");
        String id = letter.path("id").asText();
        for (int attempt = 1; attempt <= 2; attempt++) {
            int sent = attempt;
            assertThat(reprocess(id).statusCode()).isEqualTo(202);
            await().untilAsserted(() -> assertThat(recordsOf(key)).hasSize(1 + sent));
            ConsumerRecord<byte[], byte[]> again = recordsOf(key).get(sent);
            List<String> headers = Stream.of(again.headers().toArray())
                    .map(header -> header.key() + "=" + (header.value() == null ? null : text(header.value())))
                    .toList();
            assertThat(headers.subList(0, own.size()))
                    .containsExactlyElementsOf(own.stream()
                            .map(header -> header.getKey() + "="
                                    + (header.getValue() == null ? null : text(header.getValue())))
                            .toList());
            assertThat(headers.subList(own.size(), headers.size()))
                    .satisfiesExactly(
                            one -> assertThat(one).isEqualTo("reprocessed=true"),
                            one -> assertThat(one).startsWith("original-error="),
                            one -> assertThat(one).matches("reprocess-timestamp=\\d{13}"));
            await().untilAsserted(() ->
                    assertThat(awaitDetail(id).path("attempts").asInt()).isEqualTo(1 + sent));
        }
        assertThat(letters(key)).hasSize(1);
    }

    @Test
    void savesANewOneWhenAnotherGroupFailsAtTheRecord() {
        String id = UUID.randomUUID().toString();
        write(LETTERS, bytes(key), bytes(event(key)), letterHeaders(id));
        awaitDetail(id);
        reprocess(id);
        String timestamp =
                awaitDetail(id).at("/reprocessings/0/reprocessTimestamp").asText();
        String other = UUID.randomUUID().toString();
        List<Map.Entry<String, byte[]>> headers = letterHeaders(other);
        headers.set(6, header("consumer-group", "refill-desk"));
        headers.addAll(0, List.of(header("a", "1"), header("reprocessed", "true"), header("original-error", "x")));
        headers.add(3, header("reprocess-timestamp", timestamp));

        write(LETTERS, bytes(key), bytes(event(key)), headers);

        JsonNode detail = awaitDetail(other);
        assertThat(detail.path("consumerGroup").asText()).isEqualTo("refill-desk");
        assertThat(headersOf(detail)).contains("a=1").noneMatch(header -> header.startsWith("reprocess"));
        assertThat(state(id)).isEqualTo("REPROCESSED 1");
    }

    @Test
    void keepsAndSendsAValueThatIsLargeOnlyUncompressed() throws Exception {
        byte[] giant = new byte[20 << 20];
        CompressedBatch.send(brokers(), giant.length + 1000, List.of(new ProducerRecord<>(CREATED, bytes(key), giant)));

        String id = awaitLetter(key).path("id").asText();

        JsonNode detail = awaitDetail(id);
        assertThat(detail.at("/value/bytes").asInt()).isEqualTo(giant.length);
        assertThat(raw(detail.path("value"))).isEqualTo(new byte[16 * 1024]);
        assertThat(content(id, "value")).isEqualTo(giant);
        assertThat(detail.at("/problems/0").asText()).startsWith("it is larger than what is decoded");
        assertThat(reprocess(id).statusCode()).isEqualTo(202);
        await().untilAsserted(() -> assertThat(state(id)).isEqualTo("NEW 2"));
        assertThat(recordsOf(key)).hasSize(2).allSatisfy(record -> assertThat(record.value())
                .isEqualTo(giant));
    }

    @Test
    void omitsAValueThatIsLargerThanAnyRecordFromHere() throws Exception {
        byte[] giant = new byte[30 << 20];
        CompressedBatch.send(brokers(), giant.length + 1000, List.of(new ProducerRecord<>(CREATED, bytes(key), giant)));

        String id = awaitLetter(key).path("id").asText();

        JsonNode detail = awaitDetail(id);
        assertThat(detail.path("value").isNull()).isTrue();
        assertThat(headersOf(detail)).contains("value-omitted=true", "value-bytes=" + giant.length);
        assertThat(json(reprocess(id).body()).path("error").asText())
                .matches("the record has \\d+ bytes, and what is sent from here at most .*");
    }

    @ParameterizedTest
    @ValueSource(ints = {3 << 20, 26 << 20})
    void belongsToTheTenantThatItsValueNamesHoweverLargeThatIs(int size) throws Exception {
        byte[] poison = bytes(event(key)
                .replace("\"default\"", "\"other\"")
                .replace("\"patientId\":", "\"note\":\"%s\",\"noPatientId\":".formatted("x".repeat(size))));

        CompressedBatch.send(
                brokers(), poison.length + 1000, List.of(new ProducerRecord<>(CREATED, bytes(key), poison)));

        await().untilAsserted(() -> assertThat(jdbc.sql("select tenant from dead_letter where key_digest = sha256(?)")
                        .param(bytes(key))
                        .query(String.class)
                        .list())
                .containsExactly("other"));
        assertThat(letters(key)).isEmpty();
    }

    @Test
    void fetchesAnOmittedValueFromItsTopic() throws Exception {
        byte[] value = new byte[200_000];
        new Random(3).nextBytes(value);
        limit(UPDATED + ".dlq", "100000");
        String id;
        try {
            write(UPDATED, bytes(key), value, List.of(header("x", "1"), header("timestamp", "theirs")));
            id = awaitLetter(key).path("id").asText();
            assertThat(headersOf(awaitDetail(id)))
                    .contains("x=1", "original-header-timestamp=theirs", "value-omitted=true", "value-bytes=200000");
            assertThat(awaitDetail(id).at("/problems/0").asText()).isEqualTo("the dead letter is without its value");

            String job = begin("{\"key\":\"" + key + "\"}");
            assertThat(awaitEnd(job).path("skipped").asInt()).isEqualTo(1);
            assertThat(reprocess(id).statusCode()).isEqualTo(202);

            await().untilAsserted(() -> assertThat(state(id)).isEqualTo("NEW 2"));
        } finally {
            limit(UPDATED + ".dlq", "1114124");
        }
        List<ConsumerRecord<byte[], byte[]>> sent = recordsOf(UPDATED, key);
        assertThat(sent).hasSize(2).allSatisfy(record -> assertThat(record.value())
                .isEqualTo(value));
        assertThat(Stream.of(sent.get(1).headers().toArray()).map(Header::key))
                .containsExactly("x", "timestamp", "reprocessed", "original-error", "reprocess-timestamp");
        assertThat(letters(key)).hasSize(1);

        admin.deleteRecords(Map.of(
                        new TopicPartition(UPDATED, sent.get(0).partition()),
                        RecordsToDelete.beforeOffset(sent.get(0).offset() + 1)))
                .all()
                .get();
        HttpResponse<String> answer = reprocess(id);
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(json(answer.body()).path("error").asText())
                .isEqualTo("the dead letter is without its value, and its record is no longer in its topic");
        assertThat(edit(id, event(key).replace(CREATED, UPDATED)).statusCode()).isEqualTo(202);
    }

    @Test
    void belongsToTheTenantOfItsOriginalRecord() {
        String other = "rx-other-" + run;
        byte[] value = bytes(event(other).replace("\"default\"", "\"other\""));
        write(CREATED, bytes(other), value, List.of());
        ConsumerRecord<byte[], byte[]> record = recordsOf(other).get(0);
        String id = UUID.randomUUID().toString();
        List<Map.Entry<String, byte[]>> headers = letterHeaders(id);
        headers.set(1, header("original-partition", String.valueOf(record.partition())));
        headers.set(2, header("original-offset", String.valueOf(record.offset())));
        headers.add(header("value-omitted", "true"));
        headers.add(header("value-sha256", Sha256.hex(value)));
        write(LETTERS, bytes(key), null, headers);
        await().untilAsserted(() -> assertThat(jdbc.sql("select tenant from dead_letter where id = ?")
                        .param(id)
                        .query(String.class)
                        .list())
                .containsExactly("other"));

        assertThat(get(PATH + "/" + id).statusCode()).isEqualTo(404);
        assertThat(reprocess(id).statusCode()).isEqualTo(404);
        assertThat(recordsOf(other)).hasSize(1);
    }

    @Test
    void savesItWithoutItsValueWhenTheDatabaseRejectsIt() {
        String id = "refused-" + run;
        jdbc.sql("create function refuse_" + run + "() returns trigger language plpgsql as "
                        + "$$ begin raise exception 'too large' using errcode = '54000'; end $$")
                .update();
        jdbc.sql("create trigger refuse_" + run + " before insert on dead_letter for each row when (new.value = '"
                        + "large " + run + "'::bytea) execute function refuse_" + run + "()")
                .update();
        try {
            List<Map.Entry<String, byte[]>> headers = letterHeaders(id);
            headers.add(0, header("x", "1"));
            write(LETTERS, bytes(key), bytes("large " + run), headers);

            JsonNode detail = awaitDetail(id);

            assertThat(detail.path("value").isNull()).isTrue();
            assertThat(headersOf(detail))
                    .contains("value-omitted=true", "headers-omitted=1", "error-message=it was broken");
        } finally {
            jdbc.sql("drop function refuse_" + run + " cascade").update();
        }
    }

    private void limit(String topic, String maxMessageBytes) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, topic),
                        List.of(new AlterConfigOp(
                                new ConfigEntry("max.message.bytes", maxMessageBytes), AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    private static Map.Entry<String, byte[]> header(String name, String value) {
        return new AbstractMap.SimpleEntry<>(name, bytes(value));
    }

    private JsonNode awaitLetter(String letterKey) {
        return awaitLetters(letterKey, 1).get(0);
    }

    private List<JsonNode> awaitLetters(String letterKey, int count) {
        await().untilAsserted(() -> assertThat(letters(letterKey)).hasSize(count));
        return letters(letterKey);
    }

    private List<JsonNode> letters(String letterKey) {
        JsonNode letters = json(get(PATH + "?limit=500&key=" + letterKey).body());
        return StreamSupport.stream(letters.spliterator(), false).toList();
    }

    private List<String> ids(String query) {
        return json(get(PATH + query).body()).findValuesAsText("id");
    }

    private JsonNode detail(JsonNode letter) {
        return awaitDetail(letter.path("id").asText());
    }

    private JsonNode awaitDetail(String id) {
        await().until(() -> get(PATH + "/" + id).statusCode() == 200);
        return json(get(PATH + "/" + id).body());
    }

    /** Null when there is none. */
    private byte[] content(String id, String part) {
        HttpResponse<byte[]> answer = download(PATH + "/" + id + "/content?part=" + part);
        return answer.statusCode() == 404 ? null : answer.body();
    }

    private String state(String id) {
        JsonNode letter = json(get(PATH + "/" + id).body());
        return letter.path("status").asText() + " " + letter.path("attempts").asText();
    }

    private HttpResponse<String> reprocess(String id) {
        return exchange(request(PATH + "/" + id + "/reprocess").POST(HttpRequest.BodyPublishers.noBody()));
    }

    private HttpResponse<String> edit(String id, String value) {
        return post(PATH + "/" + id + "/reprocess?reason=mended", JSON, value);
    }

    private HttpResponse<String> discard(String id) {
        return post(PATH + "/" + id + "/discard", JSON, """
                {"reason":"a test"}""");
    }

    private int count(String filter) {
        HttpResponse<String> answer = post(PATH + "/reprocess?dryRun=true", JSON, filter);
        assertThat(answer.statusCode()).isEqualTo(200);
        return json(answer.body()).path("count").asInt();
    }

    private String begin(String filter) {
        HttpResponse<String> answer = post(PATH + "/reprocess", JSON, filter);
        assertThat(answer.statusCode()).isEqualTo(202);
        return json(answer.body()).path("jobId").asText();
    }

    private JsonNode job(String id) {
        return json(get("/api/jobs/" + id).body());
    }

    private JsonNode awaitEnd(String job) {
        await().until(() -> !job(job).path("state").asText().equals("RUNNING"));
        return job(job);
    }

    private void awaitOrder() {
        await().untilAsserted(() -> assertThat(
                        json(get("/api/pharmacy-orders?patientId=" + patient).body()))
                .hasSize(1));
    }

    private int outbox(String recordKey) {
        return jdbc.sql("select count(*) from outbox where key = ?")
                .param(bytes(recordKey))
                .query(Integer.class)
                .single();
    }

    private int sent(String error) {
        return jdbc.sql("select count(*) from dead_letter_attempt a join dead_letter l on l.seq = a.letter"
                        + " where l.error_class = ?")
                .param(error)
                .query(Integer.class)
                .single();
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String recordKey) {
        return recordsOf(CREATED, recordKey);
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic, String recordKey) {
        return records(topic).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(recordKey))
                .toList();
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsStarting(String recordKey) {
        return records(CREATED).stream()
                .filter(record -> record.key() != null && text(record.key()).startsWith(recordKey))
                .toList();
    }

    private static List<Map.Entry<String, byte[]>> letterHeaders(String id) {
        return letterHeaders(id, "Error");
    }

    /** What the runtime adds, in a list that a test changes. */
    private static List<Map.Entry<String, byte[]>> letterHeaders(String id, String error) {
        return new ArrayList<>(List.of(
                Map.entry("original-topic", bytes(CREATED)),
                Map.entry("original-partition", bytes("1")),
                Map.entry("original-offset", bytes("2")),
                Map.entry("timestamp", bytes(String.valueOf(System.currentTimeMillis()))),
                Map.entry("error-message", bytes("it was broken")),
                Map.entry("error-stack", bytes("com.example." + error + ": it was broken\n\tat a.B.c(B.java:1)")),
                Map.entry("consumer-group", bytes("pharmacy-prescription-processor")),
                Map.entry("dead-letter-id", bytes(id))));
    }

    private static void write(String topic, byte[] recordKey, byte[] value, List<Map.Entry<String, byte[]>> headers) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers(), "max.request.size", 2_000_000),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, recordKey, value);
            headers.forEach(header -> record.headers().add(header.getKey(), header.getValue()));
            producer.send(record).get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> headersOf(JsonNode detail) {
        List<String> headers = new ArrayList<>();
        detail.path("headers")
                .forEach(header -> headers.add(header.path("name").asText() + "="
                        + header.at("/value/text").asText()));
        return headers;
    }

    private static byte[] raw(JsonNode value) {
        return value.isNull()
                ? null
                : Base64.getDecoder().decode(value.path("base64").asText());
    }

    private static String sha256(byte[] bytes) {
        return bytes == null
                ? "null"
                : new String(Base64.getEncoder().encode(DeadLetter.digest(bytes)), StandardCharsets.US_ASCII);
    }

    private String event(String id) {
        return event(id, 1760000000000L);
    }

    private String event(String id, long timestamp) {
        return """
                {"metadata":{"eventId":"%s","eventType":"medication.prescription.created","eventSource":"medication-service",\
                "timestamp":%d,"security":{"principal":"sandbox","tenant":"default"}},\
                "payload":{"id":"%s","patientId":"%s","medication":{"name":"Amoxicillin"}}}"""
                .formatted(UUID.nameUUIDFromBytes(bytes(id + timestamp)), timestamp, id, patient);
    }
}
