package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.core.io.ClassPathResource;
import routes.HostileJson;
import routes.KnownSchemas;
import routes.Requests;
import routes.platform.Caller;
import routes.platform.avro.AvroCodec;
import routes.platform.contract.AsyncApi;
import routes.platform.error.ProblemException;
import routes.platform.event.Event;
import routes.platform.event.EventReader;

/** Sends hostile JSON through the HTTP door, and reads each accepted command and its events. */
class CommandAgreementTest {

    private static final int CASES = 4000;
    private static final int OF_ONE_PRESCRIPTION = 5;
    private static final Caller CALLER = new Caller("sandbox", "home", "home", null, Set.of(), Set.of());

    private static final String PRESCRIPTION =
            """
            {"patientId": "p-1", "prescriberId": "Dr. A", "quantity": 30, "medication": {"name": "Aspirin", "rxnorm": null}, "notes": ["a"]}""";

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final EventReader events = new EventReader(contract, new AvroCodec(contract, new KnownSchemas(contract)));
    private final PrescriptionCommandFactory http = new PrescriptionCommandFactory(contract, events);
    private final PrescriptionEventTranslator translator = new PrescriptionEventTranslator(contract);
    private final DefaultCamelContext context = new DefaultCamelContext();

    @Test
    @Timeout(120)
    void appliesOrRejectsEachAcceptedCommand() throws Exception {
        int accepted = 0;
        int applied = 0;
        for (int seed = 0; seed < CASES; seed++) {
            HostileJson hostile = new HostileJson(seed);
            Optional<Prescription> known = Optional.empty();
            for (int i = 0; i < OF_ONE_PRESCRIPTION; i++) {
                Optional<Message> command = send(i == 0 ? 0 : 1 + new Random(seed + i).nextInt(5), hostile, seed);
                if (command.isEmpty()) {
                    continue;
                }
                accepted++;
                try {
                    Optional<Prescription> after = handle(command.get(), known);
                    applied += after.isPresent() ? 1 : 0;
                    known = after.isPresent() ? after : known;
                } catch (Exception | AssertionError | StackOverflowError e) {
                    fail("seed " + seed + ", the door accepts poison: " + start(command.get()), e);
                }
            }
        }
        assertThat(accepted).isBetween(CASES, CASES * (OF_ONE_PRESCRIPTION - 1));
        assertThat(applied).isGreaterThan(CASES / 2);
    }

    @Test
    void rejectsAPrescriptionThatGrowsUnreadable() throws Exception {
        Optional<Prescription> known = handle(
                send("create", PRESCRIPTION.replace("[\"a\"]", ones(150_000))).orElseThrow(), Optional.empty());

        Message update = send("update", """
                {"more":""" + ones(100_000) + "}")
                .orElseThrow();

        assertThat(decide(update, known))
                .isEqualTo(new Prescription.Rejected("the prescription would be larger than 199000 tokens of JSON"));
    }

    private static String ones(int count) {
        return Arrays.toString(new int[count]).replace(" ", "");
    }

    private Optional<Message> send(int which, HostileJson hostile, int seed) {
        byte[] body =
                switch (which) {
                    case 0 ->
                        hostile.of(
                                PRESCRIPTION,
                                PRESCRIPTION.replaceFirst("\\{", """
                            {"id": "rx-1",\s"""));
                    case 1 -> hostile.of("""
                            {"reason": "allergy"}""", "{}");
                    default ->
                        hostile.of(
                                """
                                {"quantity": 60, "version": 1}""",
                                """
                                {"medication": {"name": "Ibuprofen"}, "id": "rx-1"}""",
                                """
                                {"status": "active", "notes": []}""");
                };
        try {
            return send(which == 0 ? "create" : which == 1 ? "cancel" : "update", body);
        } catch (RuntimeException | StackOverflowError e) {
            return fail("seed " + seed + ", the door fails with an unexpected error", e);
        }
    }

    private Optional<Message> send(String operation, String body) {
        return send(operation, body.getBytes(StandardCharsets.UTF_8));
    }

    private Optional<Message> send(String operation, byte[] body) {
        Exchange exchange = new DefaultExchange(context);
        Requests.post(CALLER).bindTo(exchange);
        try {
            switch (operation) {
                case "create" -> http.create(body, exchange);
                case "cancel" -> http.cancel("rx-1", body, exchange);
                default -> http.update("rx-1", body, exchange);
            }
            return Optional.of(exchange.getMessage());
        } catch (ProblemException e) {
            return Optional.empty();
        }
    }

    private Prescription.Decision decide(Message sent, Optional<Prescription> known) throws Exception {
        return Prescription.decide(command(sent), known, false, System.currentTimeMillis());
    }

    private Command command(Message sent) throws Exception {
        return Command.of(this.<JsonNode>read(sent, PrescriptionCommandFactory.TOPIC), false);
    }

    /** Handles a command like the consumers, one after the other, and reads each record that they send. */
    private Optional<Prescription> handle(Message sent, Optional<Prescription> known) throws Exception {
        Command command = command(sent);
        assertThat(command.prescriptionId())
                .isNotEmpty()
                .matches(text -> text.chars().noneMatch(Character::isISOControl), "plain text");
        // a create with another id makes another prescription
        Optional<Prescription> same = known.filter(prescription -> command.prescriptionId()
                .equals(prescription.content().path("id").textValue()));
        if (!(Prescription.decide(command, same, false, System.currentTimeMillis())
                        instanceof Prescription.Applied applied)
                || applied.prescription() == null) {
            return Optional.empty();
        }
        Exchange exchange = new DefaultExchange(context);
        Message event = CommandHandler.event(
                command, command.id(), applied.prescription(), System.currentTimeMillis(), exchange);
        exchange.getMessage().setBody(read(event, CommandHandler.TOPIC));
        translator.translate(read(event, CommandHandler.TOPIC), exchange);
        Message announced = exchange.getMessage();
        assertThat(announced.getHeader("event-type")).isNotNull();
        read(announced, announced.getHeader("event-type", String.class));
        return Optional.of(applied.prescription());
    }

    @SuppressWarnings("unchecked")
    private <T> Event<T> read(Message record, String topic) throws Exception {
        assertThat(record.getHeader(KafkaConstants.KEY, byte[].class)).isNotEmpty();
        return (Event<T>)
                events.decode(record.getBody(byte[].class), topic, record.getHeaders(), System.currentTimeMillis());
    }

    private static String start(Message command) {
        String text = new String(command.getBody(byte[].class), StandardCharsets.UTF_8);
        return text.substring(0, Math.min(text.length(), 1500));
    }
}
