package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.cqrs.Prescription.Applied;
import routes.cqrs.Prescription.Decision;
import routes.cqrs.Prescription.Rejected;
import routes.platform.Json;
import routes.platform.contract.EventSchema;
import routes.platform.event.EventMetadata;

class PrescriptionTest {

    private static final String ASPIRIN =
            """
            {"patientId":"p","medication":{"name":"Aspirin","ndc":"1"},"quantity":1.50,"note":{"a":[1]}}""";

    private static final String REFILL = """
            {"refills":1}""";
    private static final String SAGA = """
            {"sagaId":"s"}""";

    private final Prescription created = apply(Optional.empty(), "CREATE", ASPIRIN);

    @Test
    void createsAnActivePrescriptionDigitForDigit() {
        // given
        String withWriteSideFields = ASPIRIN.replaceFirst(
                "\\{",
                """
                {"id":"rx","status":"draft","version":7,"createdAt":"today","statusReason":"x",""");

        // when
        Prescription prescription = apply(Optional.empty(), "CREATE", withWriteSideFields);

        // then
        assertThat(text(prescription.content()))
                .isEqualTo(
                        ASPIRIN.substring(0, ASPIRIN.length() - 1)
                                + """
                ,"id":"rx","status":"active","version":1,"createdAt":1000,"updatedAt":1000}""");
    }

    // RFC 7396, appendix A: the cases that the schema of a prescription allows
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    {"quantity":2}                          | /quantity   | 2
                    {"medication":{"ndc":null}}             | /medication | {"name":"Aspirin"}
                    {"medication":{"rxnorm":"7"}}           | /medication | {"name":"Aspirin","ndc":"1","rxnorm":"7"}
                    {"note":"text"}                         | /note       | "text"
                    {"note":{"a":{"b":null,"c":1}}}         | /note       | {"a":{"c":1}}
                    {"note":[{"a":null}]}                   | /note       | [{"a":null}]
                    {"createdAt":5,"version":1}             | /createdAt  | 1000
                    {"updatedAt":5,"statusReason":"x"}      | /createdAt  | 1000
                    {"status":"completed"}                  | /status     | "completed"
                    """)
    void mergesAPatch(String patch, String pointer, String value) {
        Prescription changed = apply(Optional.of(created), "UPDATE", patch);

        assertThat(changed.content().at(pointer).toString()).isEqualTo(value);
    }

    @Test
    void rejectsAPatchThatViolatesTheSchema() {
        Decision decision =
                decide(Optional.of(created), "UPDATE", """
                {"quantity":{"x":null}}""", false);

        assertThat(decision).isEqualTo(new Rejected("/payload/quantity: must be a number or null"));
    }

    @Test
    void closesAndLocksThePrescriptionOfMaximumSize() {
        // given
        Prescription large = apply(Optional.of(created), "UPDATE", field("note", Prescription.MAX_BYTES - 250));

        // when it would grow
        Decision update = decide(Optional.of(large), "UPDATE", field("more", 250), false);

        // then the update fails, and all else succeeds
        assertThat(update).isEqualTo(new Rejected("the prescription would be larger than 1000000 bytes"));
        assertThat(apply(Optional.of(large), "CANCEL", field("reason", 1024)).status())
                .isEqualTo("cancelled");
        assertThat(apply(Optional.of(large), "LOCK", SAGA).status()).isEqualTo("on-hold");
        assertThat(apply(Optional.of(large), "UNLOCK", SAGA).status()).isEqualTo("active");
    }

    @Test
    void rejectsAReprocessedUpdateOfAChangedPrescription() {
        // given
        Command first = command("UPDATE", REFILL);
        Command reprocessed = new Command(first.type(), "rx", first.payload(), first.metadata(), true);

        // when, then
        assertThat(Prescription.decide(reprocessed, Optional.of(created), false, 2000))
                .isEqualTo(new Rejected("the prescription has changed since the command was first sent"));

        // given
        first.payload().put("version", 1);

        // when, then
        assertThat(Prescription.decide(reprocessed, Optional.of(created), false, 2000))
                .isInstanceOf(Applied.class);
    }

    @Test
    void changesLaterThanBeforeWhenTheClockGoesBack() {
        // when
        Decision decision = Prescription.decide(command("UPDATE", REFILL), Optional.of(created), false, 10);

        // then
        Prescription changed = ((Applied) decision).prescription();
        assertThat(changed.updatedAt()).isEqualTo(created.updatedAt() + 1);
        assertThat(changed.content().path("createdAt").asLong()).isEqualTo(1000);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void keepsItsRulesForRandomCommands(long seed) {
        Random random = new Random(seed);
        EventSchema schema = new EventSchema("prescription.json");
        List<String> payloads = List.of(
                """
                {"quantity":%d}""",
                """
                {"version":%d,"quantity":1}""",
                """
                {"status":"active","refills":%d}""",
                """
                {"medication":null,"x":%d}""",
                """
                {"status":"completed","x":%d}""");
        Set<String> unlocked = new HashSet<>();
        Optional<Prescription> known = Optional.empty();
        int applied = 0;
        for (int i = 0; i < 300; i++) {
            String type = List.of("CREATE", "UPDATE", "UPDATE", "CANCEL", "LOCK", "UNLOCK", "LOCK")
                    .get(random.nextInt(7));
            if (type.equals("CANCEL") && random.nextInt(30) > 0) {
                continue;
            }
            String saga = "s" + random.nextInt(40);
            String payload =
                    switch (type) {
                        case "CREATE" -> ASPIRIN;
                        // the last payload completes the prescription
                        case "UPDATE" ->
                            payloads.get(random.nextInt(random.nextInt(20) == 0 ? 5 : 4))
                                    .formatted(random.nextInt(50));
                        case "CANCEL" -> """
                                {"reason":"r"}""";
                        default -> """
                                {"sagaId":"%s"}""".formatted(saga);
                    };
            String before =
                    known.map(prescription -> text(prescription.content())).orElse("");
            Decision decision =
                    Prescription.decide(command(type, payload), known, unlocked.contains(saga), random.nextInt(2000));

            assertThat(known.map(prescription -> text(prescription.content())).orElse(""))
                    .as("nothing is changed in place")
                    .isEqualTo(before);
            if (type.equals("UNLOCK")) {
                assertThat(decision).as("an unlock is always accepted").isInstanceOf(Applied.class);
                unlocked.add(saga);
            }
            if (decision instanceof Applied done && done.prescription() != null) {
                Prescription after = done.prescription();
                applied++;
                assertThat(after.version()).isEqualTo(applied);
                assertThat(after.content().path("id").asText()).isEqualTo("rx");
                assertThat(schema.errors(after.content())).isEmpty();
                assertThat(after.status().equals("on-hold")).isEqualTo(after.lockedBy() != null);
                assertThat(unlocked).doesNotContain(String.valueOf(after.lockedBy()));
                known.ifPresent(prescription -> {
                    assertThat(after.updatedAt()).isGreaterThan(prescription.updatedAt());
                    if (Set.of("cancelled", "completed").contains(prescription.status())) {
                        assertThat(type).isEqualTo("UNLOCK");
                        assertThat(after.status()).isEqualTo(prescription.status());
                    }
                    if (prescription.lockedBy() != null && type.equals("UPDATE")) {
                        throw new AssertionError("changed while a saga holds it");
                    }
                });
                known = Optional.of(after);
            }
        }
        assertThat(applied).isGreaterThan(5);
    }

    private static Prescription apply(Optional<Prescription> known, String type, String payload) {
        return ((Applied) decide(known, type, payload, false)).prescription();
    }

    private static Decision decide(Optional<Prescription> known, String type, String payload, boolean unlocked) {
        return Prescription.decide(command(type, payload), known, unlocked, 1000);
    }

    private static String field(String name, int length) {
        return """
                {"%s":"%s"}""".formatted(name, "x".repeat(length));
    }

    private static Command command(String type, String payload) {
        String id = UUID.randomUUID().toString();
        return new Command(
                Command.Type.valueOf(type),
                "rx",
                (ObjectNode) Json.readObject(payload.getBytes(StandardCharsets.UTF_8)),
                new EventMetadata(id, "type", 1, id, null, "default"),
                false);
    }

    private static String text(ObjectNode content) {
        return new String(Json.write(content), StandardCharsets.UTF_8);
    }
}
