package routes.platform.avro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import eventbroker.patient.Claims;
import eventbroker.patient.Metadata;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import eventbroker.patient.Security;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificRecord;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.io.ClassPathResource;
import routes.KnownSchemas;
import routes.platform.Json;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import routes.platform.error.FailureClassifier;
import routes.platform.error.MalformedAvroException;
import routes.platform.error.ProblemException;
import routes.platform.error.SchemaViolationException;
import routes.platform.error.UnknownSchemaException;
import routes.platform.event.Event;
import routes.platform.event.EventReader;

class AvroCodecTest {

    private static final String TOPIC = "patient.events";

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final AvroSchema ours = contract.channel(TOPIC).orElseThrow().avro();
    private final KnownSchemas registry = new KnownSchemas(contract);
    private final AvroCodec codec = new AvroCodec(contract, registry);
    private final EventReader events = new EventReader(contract, codec);

    @Test
    void readsItsOwnValues() throws IOException {
        PatientEvent event = event();

        byte[] value = codec.encode(event);

        assertThat(value).startsWith(0, 0, 0, 0, 1);
        assertThat(codec.decode(value, ours)).isEqualTo(event);
    }

    @Test
    void readsTheSameMetadataAsFromJson() throws IOException {
        PatientEvent event = event();
        Event<?> read = events.decode(codec.encode(event), TOPIC, Map.of("tenant", "of the header"), -1);

        assertThat(read.payload()).isEqualTo(event.getPayload());
        assertThat(read.metadata().eventId()).isEqualTo(event.getMetadata().getEventId());
        assertThat(read.metadata().correlationId()).isEqualTo(read.metadata().eventId());
        assertThat(read.metadata().causationId()).isNull();
        assertThat(read.metadata().timestamp()).isEqualTo(1_700_000_000_123L);
        assertThat(read.metadata().tenant()).isEqualTo("of the claims");

        event.getMetadata().setSecurity(null);
        event.getMetadata().setCorrelationId("");
        read = events.decode(
                codec.encode(event),
                TOPIC,
                Map.of("tenant", "of the header", "correlation-id", "c", "causation-id", ""),
                -1);
        assertThat(read.metadata().tenant()).isEqualTo("of the header");
        assertThat(read.metadata().correlationId()).isEqualTo("c");
        assertThat(read.metadata().causationId()).isNull();
    }

    @Test
    void readsAScopeThatIsAList() throws IOException {
        PatientEvent event = event();
        event.getMetadata().getSecurity().getClaims().setScope(List.of("patients.write", "patients.read"));

        assertThat(codec.decode(codec.encode(event), ours)).isEqualTo(event);
    }

    @Test
    void dropsNewerFieldsAndFillsMissingOnes() throws IOException {
        String newer = ours.text()
                .replace(
                        """
                        { "name": "firstName",""",
                        """
                        { "name": "pronouns", "type": ["null", "string"], "default": null },
                        { "name": "firstName",""")
                .replaceAll(
                        """
                        \\{ "name": "reason",.*
                        """,
                        """
                        { "name": "title", "type": "string", "default": "" }
                        """);
        GenericRecord event = generic(newer);
        ((GenericRecord) event.get("payload")).put("pronouns", "she");
        ((GenericRecord) event.get("payload")).put("firstName", "Zoë");

        PatientEvent read = (PatientEvent) codec.decode(value(newer, event), ours);

        assertThat(read.getPayload().getFirstName()).isEqualTo("Zoë");
        assertThat(read.getPayload().getReason()).isNull();
    }

    @Test
    void readsASchemaOfAnotherNamespace() throws IOException {
        String other = ours.text()
                .replace("eventbroker.patient", "com.example.node")
                .replace(
                        """
                        { "type": "long", "logicalType": "timestamp-millis" }""",
                        """
                        { "type": "long" }""");

        PatientEvent read = (PatientEvent) codec.decode(value(other, generic(other)), ours);

        assertThat(read.getMetadata().getTimestamp()).isEqualTo(Instant.ofEpochMilli(1_700_000_000_123L));
    }

    @ParameterizedTest
    @CsvSource({
        "'', 'empty, expected Avro'",
        "7b7d, 'does not begin with byte 0, expected Avro in Confluent''s wire format'",
        "01000000010203, 'does not begin with byte 0, expected Avro in Confluent''s wire format'",
        "00, 'ends within the schema id of Confluent''s wire format'",
        "00000000, 'ends within the schema id of Confluent''s wire format'",
        "0000000001, 'ends within the value of schema id 1'",
        "000000000148, 'ends within the value of schema id 1'",
        // a text of 2 GB, one of minus one byte
        "0000000001feffffff0f41, 'ends within the value of schema id 1'",
        "000000000101, 'a length is negative'",
        // text that is not UTF-8, and U+0000
        "000000000104c328, 'a text is not UTF-8'",
        "000000000104ff41, 'a text is not UTF-8'",
        "00000000010400400202, 'a text has the character U+0000, which the database cannot hold'",
    })
    void describesAValueThatIsNotAvro(String hex, String error) {
        assertThatThrownBy(() -> codec.decode(java.util.HexFormat.of().parseHex(hex), ours))
                .isInstanceOf(MalformedAvroException.class)
                .hasMessage(error);
    }

    @Test
    void refusesATombstone() {
        assertThatThrownBy(() -> events.decode(null, TOPIC, Map.of(), -1))
                .isInstanceOf(MalformedAvroException.class)
                .hasMessage("empty, expected Avro");
    }

    @Test
    void refusesTruncatedAndOverlongValues() throws IOException {
        byte[] value = codec.encode(event());
        for (int length = 0; length < value.length; length++) {
            byte[] cut = Arrays.copyOf(value, length);
            assertThatThrownBy(() -> codec.decode(cut, ours)).isInstanceOf(MalformedAvroException.class);
        }
        assertThatThrownBy(() -> codec.decode(Arrays.copyOf(value, value.length + 2), ours))
                .isInstanceOf(MalformedAvroException.class)
                .hasMessage("has 2 bytes after the value of schema id 1");
    }

    @Test
    void reportsAProblemForAnyChangedByte() throws IOException {
        byte[] value = codec.encode(event());
        int problems = 0;
        for (int i = 5; i < value.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] changed = value.clone();
                changed[i] ^= (byte) (1 << bit);
                try {
                    codec.decode(changed, ours);
                } catch (ProblemException e) {
                    problems++;
                }
            }
        }
        assertThat(problems).isPositive();
    }

    /** Returns our schema with another field before all others. */
    private String withFirstField(String field) {
        return ours.text().replaceFirst("fields.: \\[", "$0 " + field + ",");
    }

    @Test
    void allocatesNothingForAFalseListLength() throws IOException {
        // items without bytes, which no other limit stops
        String hostile = withFirstField(
                """
                { "name": "nothing", "type": { "type": "array", "items": "null" } }
                """);
        int id = registry.add(hostile);
        byte[] value = frame(id, new byte[] {(byte) 0xfe, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x0f, 0});

        assertThatThrownBy(() -> codec.decode(value, ours))
                .isInstanceOf(MalformedAvroException.class)
                .hasMessage("a list claims more items than the value has bytes");
    }

    @Test
    void boundsValuesWithoutBytes() throws IOException {
        String nothings = IntStream.range(0, 1000)
                .mapToObj(
                        """
                        { "name": "n%d", "type": "null" }
                        """
                                ::formatted)
                .collect(Collectors.joining(","));
        String hostile = withFirstField(
                """
                { "name": "nothing", "type": { "type": "array", "items":
                  { "type": "record", "name": "Nothing", "fields": [%s] } } }
                """
                        .formatted(nothings));
        byte[] longValue = new byte[100_000];
        // as many as the value has bytes
        System.arraycopy(new byte[] {(byte) 0xc0, (byte) 0x9a, 0x0c}, 0, longValue, 0, 3);
        byte[] value = frame(registry.add(hostile), longValue);

        assertThatThrownBy(() -> codec.decode(value, ours))
                .isInstanceOf(MalformedAvroException.class)
                .hasMessage("has more values without bytes than it has bytes");
    }

    @Test
    void countsThePartsOfASchema() {
        String level = """
                { "type": "null" }
                """;
        for (int i = 0; i < 60; i++) {
            level =
                    """
                    { "type": "record", "name": "L%d", "fields": [
                      { "name": "a", "type": %s },
                      { "name": "b", "type": "%s" }] }
                    """
                            .formatted(i, level, i == 0 ? "null" : "L" + (i - 1));
        }
        String list =
                """
                { "type": "record", "name": "N", "fields": [{ "name": "next", "type": ["null", "N"] }] }
                """;

        assertThat(SchemaSize.of(new Schema.Parser().parse(level))).isEqualTo(Integer.MAX_VALUE);
        assertThat(SchemaSize.of(ours.schema())).isBetween(50L, 100L);
        assertThat(SchemaSize.of(new Schema.Parser().parse(list))).isEqualTo(4);
    }

    @Test
    void refusesASchemaOfAnotherSubject() throws IOException {
        PatientEvent event = event();
        byte[] value = codec.encode(event);
        ByteBuffer.wrap(value).putInt(1, registry.addForeign(ours.text()));

        assertThatThrownBy(() -> codec.decode(value, ours))
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("schema id 2 is not registered on subject patient-events-value");
    }

    @Test
    void survivesEndlessNesting() throws IOException {
        String hostile = withFirstField(
                """
                { "name": "deep", "type":
                  { "type": "record", "name": "Node", "fields": [{ "name": "next", "type": ["null", "Node"] }] } }
                """);
        byte[] deep = new byte[1_000_000];
        Arrays.fill(deep, (byte) 2);
        byte[] value = frame(registry.add(hostile), deep);

        assertThatThrownBy(() -> codec.decode(value, ours)).isInstanceOf(MalformedAvroException.class);
    }

    @Test
    void namesTheIdThatTheRegistryDoesNotKnow() throws IOException {
        byte[] value = codec.encode(event());
        value[1] = 7;

        assertThatThrownBy(() -> codec.decode(value, ours))
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("schema id 117440513 is not known to the registry");
    }

    @Test
    void namesTheSchemaThatDoesNotResolveToOurs() throws IOException {
        String other =
                """
                { "type": "record", "name": "Other", "fields": [{ "name": "secret", "type": "string" }] }
                """;
        byte[] value = value(
                other,
                new GenericRecordBuilder(new Schema.Parser().parse(other))
                        .set("secret", "Zebraquine")
                        .build());

        assertThatThrownBy(() -> codec.decode(value, ours))
                .isInstanceOf(SchemaViolationException.class)
                .hasMessageStartingWith("schema id 2 does not resolve to patient-events-value: ");
    }

    @Test
    void readsAndWritesTheJsonOfAnEvent() throws IOException {
        PatientEvent event = event();
        event.getMetadata().getSecurity().getClaims().setScope(List.of("a", "b"));
        JsonNode json = AvroJson.of(event);

        assertThat(json.at("/metadata/timestamp").asLong()).isEqualTo(1_700_000_000_123L);
        assertThat(json.at("/metadata/security/claims/scope").toString()).isEqualTo("""
                ["a","b"]""");
        assertThat(json.at("/payload/lastName").asText()).isEqualTo("Ångström \uD83D\uDE00");
        assertThat(json.at("/payload/city").isNull()).isTrue();
        assertThat(codec.encode(json, ours)).isEqualTo(codec.encode(event));
        JsonNode least = Json.readObject(
                """
                {"metadata":{"eventId":"e","eventType":"t","eventSource":"s","timestamp":1.7e12},"payload":{}}
                """
                        .getBytes(StandardCharsets.UTF_8));
        PatientEvent read = (PatientEvent) codec.decode(codec.encode(least, ours), ours);
        assertThat(read.getMetadata().getVersion()).isEqualTo("1.0.0");
        assertThat(read.getMetadata().getSecurity()).isNull();
        assertThat(read.getPayload()).isEqualTo(new PatientEventPayload());
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "`{}`, `/metadata: is required`",
                "`{'metadata':{},'payload':{}}`, `/metadata/eventId: is required`",
                "`{'metadata':7,'payload':{}}`, `/metadata: must be an object`",
                "`{'metadata':{'eventId':null},'payload':{}}`, `/metadata/eventId: must be a string`",
                "`{'metadata':{'eventId':'e','eventType':'t','eventSource':'s','timestamp':1.5},'payload':{}}`, `/metadata/timestamp: must be a whole number`",
                "`{'metadata':{'eventId':'e','eventType':'t','eventSource':'s','timestamp':9223372036854775808},'payload':{}}`, `/metadata/timestamp: must be a whole number`",
                "`{'metadata':{'eventId':'e','eventType':'t','eventSource':'s','timestamp':1,'security':{'principal':'p','claims':{'scope':['a',1]}}},'payload':{}}`, `/metadata/security/claims/scope/1: must be a string`",
                "`{'metadata':{'eventId':'e','eventType':'t','eventSource':'s','timestamp':1},'payload':{'firstName':7}}`, `/payload/firstName: must be null or a string`",
                "`{'metadata':{'eventId':'e','eventType':'t','eventSource':'s','timestamp':1},'payload':{'Zebra':'quine'}}`, `/payload: has a property that is not known; known are firstName, lastName, `"
            })
    void namesThePlaceWhereJsonViolatesTheSchema(String json, String error) {
        assertThatThrownBy(() ->
                        codec.encode(Json.readObject(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)), ours))
                .isInstanceOf(SchemaViolationException.class)
                .hasMessageStartingWith(error);
    }

    @ParameterizedTest
    @ValueSource(strings = {"eventId", "eventType", "eventSource", "timestamp"})
    void appliesTheJsonRulesToMetadata(String field) throws IOException {
        PatientEvent event = event();
        switch (field) {
            case "eventId" -> event.getMetadata().setEventId("e-1");
            case "eventType" -> event.getMetadata().setEventType("");
            case "eventSource" -> event.getMetadata().setEventSource("a\nb");
            default -> event.getMetadata().setTimestamp(Instant.ofEpochMilli(-1));
        }
        byte[] value = codec.encode(event);

        assertThatThrownBy(() -> events.decode(value, TOPIC, Map.of(), -1))
                .isInstanceOf(ProblemException.class)
                .hasMessageStartingWith("/metadata/" + field);
    }

    @Test
    void readsOnManyThreads() throws Exception {
        List<PatientEvent> sent = Stream.generate(this::event).limit(200).toList();
        List<byte[]> values = new ArrayList<>();
        for (PatientEvent event : sent) {
            values.add(codec.encode(event));
        }
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 20; round++) {
                AvroCodec cold = new AvroCodec(contract, registry);
                List<Callable<SpecificRecord>> reads = values.stream()
                        .<Callable<SpecificRecord>>map(value -> () -> cold.decode(value, ours))
                        .toList();
                List<SpecificRecord> read = new ArrayList<>();
                for (Future<SpecificRecord> one : threads.invokeAll(reads)) {
                    read.add(one.get());
                }
                assertThat(read).isEqualTo(sent);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void marshalsAsADataFormatOfCamel() throws Exception {
        PatientEvent event = event();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DefaultCamelContext camel = new DefaultCamelContext()) {
            new ConfluentAvroDataFormat(codec).marshal(new DefaultExchange(camel), event, out);
        }

        assertThat(out.toByteArray()).isEqualTo(codec.encode(event));
    }

    @Test
    void waitsForTheRegistryOnlyForUnseenSchemas() throws IOException {
        byte[] value = codec.encode(event());
        codec.decode(value, ours);
        registry.stop();

        assertThat(codec.decode(value, ours)).isEqualTo(codec.decode(value, ours));
        byte[] cold = value.clone();
        cold[4] = 9;
        assertThatThrownBy(() -> codec.decode(cold, ours))
                .satisfies(e ->
                        assertThat(new FailureClassifier().isDependencyDown(e)).isTrue());
    }

    private PatientEvent event() {
        return PatientEvent.newBuilder()
                .setMetadata(Metadata.newBuilder()
                        .setEventId(UUID.randomUUID().toString())
                        .setEventType("patient.profile.created")
                        .setEventSource("patient-service")
                        .setTimestamp(Instant.ofEpochMilli(1_700_000_000_123L))
                        .setSecurity(Security.newBuilder()
                                .setPrincipal("p")
                                .setClaims(Claims.newBuilder()
                                        .setScope("s")
                                        .setTenant("of the claims")
                                        .build())
                                .build())
                        .build())
                .setPayload(PatientEventPayload.newBuilder()
                        .setFirstName("Zoë")
                        .setLastName("Ångström \uD83D\uDE00")
                        .build())
                .build();
    }

    private GenericRecord generic(String text) {
        Schema schema = new Schema.Parser().parse(text);
        return new GenericRecordBuilder(schema)
                .set(
                        "metadata",
                        new GenericRecordBuilder(schema.getField("metadata").schema())
                                .set("eventId", UUID.randomUUID().toString())
                                .set("eventType", "t")
                                .set("eventSource", "s")
                                .set("timestamp", 1_700_000_000_123L)
                                .build())
                .set(
                        "payload",
                        new GenericRecordBuilder(schema.getField("payload").schema()).build())
                .build();
    }

    private byte[] value(String text, GenericRecord record) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
        new GenericDatumWriter<>(record.getSchema()).write(record, encoder);
        encoder.flush();
        return frame(registry.add(text), out.toByteArray());
    }

    private static byte[] frame(int id, byte[] avro) {
        return ByteBuffer.allocate(5 + avro.length)
                .put((byte) 0)
                .putInt(id)
                .put(avro)
                .array();
    }
}
