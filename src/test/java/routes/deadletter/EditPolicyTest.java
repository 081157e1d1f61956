package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.ClassPathResource;
import routes.KnownSchemas;
import routes.platform.Caller;
import routes.platform.avro.AvroCodec;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.contract.AsyncApi;
import routes.platform.error.ProblemException;

class EditPolicyTest {

    private static final String COMMANDS = "medication.commands";
    private static final String CREATED = "medication.prescription.created";

    private static final String PATIENTS = "patient.events";

    private static final String COMMAND =
            """
            {"commandId":"c-1","commandType":"CreatePrescription","aggregateId":"rx-1","timestamp":1,"userId":"dr-1","payload":{%s}}""";

    private static final String UNFIT = COMMAND.formatted("\"patientId\":\"p-1\"");
    private static final String FIT = COMMAND.formatted("\"patientId\":\"p-1\",\"medication\":{\"name\":\"x\"}");

    private static final String UNFIT_EVENT =
            """
            {"metadata":{"eventId":"8d8f8a52-8d68-4f60-9a26-7a3d9f7d1a01","eventType":"t","eventSource":"s","timestamp":1,"correlationId":"visit-1",\
            "security":{"principal":"dr-1","tenant":"default","claims":{"scope":"a"}}},"payload":{"id":"rx-1","patientId":"p-1"}}""";

    private static final String FIT_EVENT =
            UNFIT_EVENT.replace("\"patientId\":\"p-1\"", "\"patientId\":\"p-1\",\"medication\":{\"name\":\"x\"}");

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final EditPolicy edits = new EditPolicy(contract, new ValueCodec(contract, null));

    static Stream<Arguments> attacks() {
        return Stream.of(
                command(
                        "another user",
                        FIT.replace("dr-1", "dr-2"),
                        400,
                        "/userId: differs from the dead letter, and /userId is not yours"),
                command(
                        "no user",
                        FIT.replace("\"userId\":\"dr-1\",", ""),
                        400,
                        "/userId: differs from the dead letter, and /userId is not yours"),
                command(
                        "a cancellation in the place of a prescription",
                        UNFIT.replace("Create", "Cancel"),
                        400,
                        "/commandType: differs from the dead letter, and /userId is not yours"),
                command("another prescription", FIT.replace("rx-1", "rx-2"), 400, "/aggregateId: is not the key"),
                command(
                        "another prescription in the operator's own name",
                        FIT.replace("rx-1", "rx-2").replace("dr-1", "operator"),
                        400,
                        "/aggregateId: is not the key"),
                command("another command", FIT.replace("c-1", "c-2"), 400, "/commandId: differs from the dead letter"),
                command(
                        "roles",
                        FIT.replace("\"userId\"", "\"roles\":[\"admin\"],\"userId\""),
                        400,
                        "a field next to /payload: differs from the dead letter"),
                command(
                        "a type that no operation has",
                        FIT.replace("Create", "Unlock")
                                .replace("\"patientId\"", "\"sagaId\":\"s\",\"patientId\"")
                                .replace("dr-1", "operator"),
                        403,
                        "an edit in your own name needs the scope prescriptions.write and one of the types"),
                event("a list of scopes", "\"scope\":\"a\"", "\"scope\":[\"*\"]"),
                event("a scope more", "\"scope\":\"a\"", "\"scope\":\"a\",\"organization\":\"o\""),
                event("roles", "\"tenant\":\"default\"", "\"tenant\":\"default\",\"roles\":[\"admin\"]"),
                event("an organization", "\"tenant\":\"default\"", "\"tenant\":\"default\",\"organization\":\"o\""),
                event("no scope", ",\"claims\":{\"scope\":\"a\"}", ""),
                event("another principal", "dr-1", "dr-2"),
                event(
                        "scopes in the operator's own name",
                        "\"dr-1\",\"tenant\":\"default\",\"claims\":{\"scope\":\"a\"}",
                        "\"operator\",\"claims\":{\"scope\":[\"*\"]}"),
                event(
                        "roles in the operator's own name",
                        "\"dr-1\",\"tenant\":\"default\",\"claims\":{\"scope\":\"a\"}",
                        "\"operator\",\"roles\":[]"),
                event("another type", "\"eventType\":\"t\"", "\"eventType\":\"u\""),
                event("another source", "\"eventSource\":\"s\"", "\"eventSource\":\"u\""),
                event("another id", "7d1a01", "7d1a02"),
                event("another journey", "visit-1", "visit-2"),
                event("a cause", "\"correlationId\"", "\"causationId\":\"c\",\"correlationId\""),
                event("more metadata", "\"correlationId\"", "\"roles\":\"admin\",\"correlationId\""),
                event("more than an envelope", "{\"metadata\"", "{\"userId\":\"admin\",\"metadata\""),
                event("another prescription", "\"rx-1\"", "\"rx-2\""));
    }

    private static Arguments command(String what, String edit, int status, String error) {
        return Arguments.of(what, COMMANDS, UNFIT, edit, status, error);
    }

    private static Arguments event(String what, String part, String other) {
        assertThat(FIT_EVENT).contains(part);
        return Arguments.of(what, CREATED, UNFIT_EVENT, FIT_EVENT.replace(part, other), 400, "");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    void rejectsAnEditForAnotherPrincipal(
            String what, String topic, String original, String edit, int status, String error) {
        ProblemException refused = catchThrowableOfType(
                ProblemException.class, () -> check(topic, original, edit, operator("events.write")));

        assertThat(refused).isNotNull();
        assertThat(refused.status()).isEqualTo(status);
        assertThat(refused).hasMessageStartingWith(error).hasMessageNotContaining("admin");
    }

    static Stream<Arguments> repairs() {
        return Stream.of(
                Arguments.of("the payload", CREATED, UNFIT_EVENT, FIT_EVENT),
                Arguments.of("the payload of a command", COMMANDS, UNFIT, FIT),
                Arguments.of("the time", CREATED, UNFIT_EVENT, FIT_EVENT.replace(":1,", ":2,")),
                Arguments.of(
                        "an id that no consumer takes",
                        CREATED,
                        UNFIT_EVENT.replace("8d8f8a52-8d68-4f60-9a26-7a3d9f7d1a01", "1"),
                        FIT_EVENT),
                Arguments.of(
                        "a correlation id that is too long",
                        CREATED,
                        UNFIT_EVENT.replace("visit-1", "x".repeat(300)),
                        FIT_EVENT),
                Arguments.of(
                        "a misspelt payload", CREATED, UNFIT_EVENT.replace("\"payload\"", "\"payLoad\""), FIT_EVENT),
                Arguments.of("upper case of an id", CREATED, UNFIT_EVENT.replace("8d8f8a52", "8D8F8A52"), FIT_EVENT),
                Arguments.of(
                        "a payload of another prescription than its key, as it was",
                        COMMANDS,
                        UNFIT.replace("rx-1", "rx-7"),
                        FIT.replace("rx-1", "rx-7")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("repairs")
    void acceptsAnEditThatRepairsTheEvent(String what, String topic, String original, String edit) {
        assertThatCode(() -> check(topic, original, edit, operator())).doesNotThrowAnyException();
    }

    @Test
    void acceptsTheOwnEventOfAnOperatorWhoMayWriteIt() {
        String own = FIT.replace("dr-1", "operator");

        assertThatCode(() -> check(COMMANDS, UNFIT, own, operator("prescriptions.write")))
                .doesNotThrowAnyException();
        assertThatCode(() -> check(COMMANDS, "{", own, operator("prescriptions.write")))
                .doesNotThrowAnyException();
        assertThatCode(() -> check(
                        CREATED,
                        "{}",
                        FIT_EVENT.replace("dr-1", "operator").replace("\"a\"", "\"\""),
                        operator("events.write")))
                .doesNotThrowAnyException();
        assertThat(refused(COMMANDS, UNFIT, own, operator("events.write")))
                .hasMessage("an edit in your own name needs the scope prescriptions.write and one of the types"
                        + " CancelPrescription, CreatePrescription, UpdatePrescription");
        assertThat(refused(COMMANDS, "{", own, operator("events.write")).status())
                .isEqualTo(403);
    }

    @Test
    void rejectsAnEditOfUnreadableDataInAnotherName() {
        assertThat(refused(COMMANDS, "{", FIT, operator("prescriptions.write")))
                .hasMessage("the dead letter cannot be read, and /userId is not yours");
        assertThat(refused(CREATED, "{", FIT_EVENT, operator("events.write")))
                .hasMessageContaining("/metadata/security/principal is not yours");
        assertThat(refused(
                        COMMANDS,
                        "{",
                        FIT.replace("dr-1", "operator").replace("rx-1", "rx-2"),
                        operator("prescriptions.write")))
                .hasMessage("/aggregateId: is not the key of the record");
    }

    @Test
    void rejectsACommandThatNoOperationSends() {
        String unlock = COMMAND.formatted("\"sagaId\":\"s\"").replace("Create", "Unlock");

        assertThat(refused(COMMANDS, "{", unlock.replace("dr-1", "operator"), operator("prescriptions.write"))
                        .status())
                .isEqualTo(403);
        assertThat(refused(
                        COMMANDS,
                        unlock.replace("\"timestamp\":1,", ""),
                        unlock.replace("\"s\"", "\"t\""),
                        operator("prescriptions.write")))
                .hasMessage("/payload/sagaId: differs from the dead letter, and /userId is not yours");
    }

    @Test
    void rejectsAnOwnEventForAnotherTenant() {
        Caller abroad = new Caller(
                "operator", "home", "default", null, Set.of(), Set.of("prescriptions.write", Caller.ALL_TENANTS));

        assertThat(refused(COMMANDS, "{", FIT.replace("dr-1", "operator"), abroad))
                .hasMessage("an edit in your own name is for your own tenant only");
        assertThatCode(() -> check(COMMANDS, UNFIT, FIT, abroad)).doesNotThrowAnyException();
    }

    @Test
    void rejectsAnEventThatOnlyTheRuntimeWrites() {
        String event =
                """
                {"eventId":"8d8f8a52-8d68-4f60-9a26-7a3d9f7d1a01","eventType":"PrescriptionCreated","aggregateId":"rx-1","timestamp":1,"userId":"operator","payload":{}}""";

        assertThat(refused("medication.events", "{", event, operator("prescriptions.write")))
                .hasMessage("no caller can write to this topic in their own name");
    }

    @Test
    void rejectsAnotherIdOfAValueTooLargeToDecode() {
        String large = UNFIT_EVENT.replace("\"p-1\"", "\"" + "x".repeat(ValueCodec.MAX_DECODED) + "\"");
        String own = FIT_EVENT.replace("dr-1", "operator").replace("\"a\"", "\"\"");

        assertThat(refused(CREATED, large, own.replace("7d1a01", "7d1a02"), operator("events.write")))
                .hasMessage("/metadata/eventId: differs from the dead letter");
        assertThat(refused(CREATED, large, own.replace("rx-1", "rx-2"), operator("events.write")))
                .hasMessage("/payload/id: is not the key of the record");
        assertThat(refused(CREATED, large, FIT_EVENT, operator("events.write")))
                .hasMessageStartingWith("the dead letter cannot be read");
        assertThatCode(() -> check(CREATED, large, own, operator("events.write")))
                .doesNotThrowAnyException();
    }

    @Test
    void rejectsAnEditForATopicOutsideTheContract() {
        assertThat(refused("unknown", UNFIT, FIT, operator()).status()).isEqualTo(409);
    }

    @Test
    void waitsForTheRegistryToReadTheOriginal() throws Exception {
        KnownSchemas registry = new KnownSchemas(contract);
        ValueCodec values = new ValueCodec(contract, new AvroCodec(contract, registry));
        byte[] edit = values.encode(
                bytes(
                        """
                        {"metadata":{"eventId":"8d8f8a52-8d68-4f60-9a26-7a3d9f7d1a01","eventType":"t","eventSource":"s","timestamp":1,\
                        "security":{"principal":"operator","tenant":"default"}},"payload":{}}"""),
                PATIENTS);
        values.decode(edit, PATIENTS, Map.of());
        byte[] original = edit.clone();
        original[4] = 77;
        registry.stop();

        assertThatThrownBy(() -> new EditPolicy(contract, values)
                        .check(letter(PATIENTS, edit), original, operator("patients.write")))
                .isInstanceOf(RegistryUnavailableException.class);
    }

    private ProblemException refused(String topic, String original, String edit, Caller caller) {
        ProblemException refused =
                catchThrowableOfType(ProblemException.class, () -> check(topic, original, edit, caller));
        assertThat(refused).isNotNull();
        return refused;
    }

    private void check(String topic, String original, String edit, Caller caller) throws Exception {
        edits.check(letter(topic, bytes(edit)), bytes(original), caller);
    }

    private static StoredDeadLetter letter(String topic, byte[] value) {
        List<Header> headers = List.of(new RecordHeader("tenant", bytes("default")));
        return new StoredDeadLetter(
                1, "id", "default", topic, bytes("rx-1"), value, headers, "", DeadLetterFilter.Status.NEW, 1, null);
    }

    private static Caller operator(String... scopes) {
        return new Caller("operator", "default", "default", null, Set.of(), Set.of(scopes));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
