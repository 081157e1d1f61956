package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import routes.Requests;
import routes.RouteFile;
import routes.RouteTest;
import routes.RouteYaml;
import routes.platform.event.EventReader;

/** The routes that make commands of requests. */
@RouteFile(
        value = "cqrs",
        routes = {"cqrs-create-*", "cqrs-update-*", "cqrs-cancel-*", "cqrs-accept-*", "cqrs-send-*"},
        sinks = "kafka:medication.commands.*")
class CommandRouteTest extends RouteTest {

    private static final String COMMANDS = "kafka:medication.commands";
    private static final String PRESCRIPTION = """
            {"patientId":"p","medication":{"name":"Aspirin"}}""";

    private final Log log = new Log();

    @Override
    protected void bind(Registry registry) {
        registry.bind(
                "prescriptionCommandFactory",
                new PrescriptionCommandFactory(contract, new EventReader(contract, avro)));
        registry.bind("commandRepository", log);
    }

    @Test
    void acceptsACommandAndThenSendsIt() throws Exception {
        MockEndpoint sent = sink(COMMANDS, 1);

        Answer answer = call("createPrescription", "-", PRESCRIPTION, "key-1");

        sent.assertIsSatisfied();
        Message record = sent.getExchanges().get(0).getMessage();
        JsonNode command = RouteYaml.read(text(record.getBody(byte[].class)));
        assertThat(log.accepted).containsExactly(command.path("commandId").asText());
        assertThat(command.path("commandType").asText()).isEqualTo("CreatePrescription");
        assertThat(command.path("userId").asText()).isEqualTo("sandbox");
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class)))
                .isEqualTo(command.path("aggregateId").asText());
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body())
                .isEqualTo(
                        """
                        {"message":"Prescription command accepted","prescriptionId":"%s","commandId":"%s"}"""
                                .formatted(
                                        command.path("aggregateId").asText(),
                                        command.path("commandId").asText()));
    }

    @Test
    void sendsOneCommandForARepeatedRequest() throws Exception {
        MockEndpoint sent = sink(COMMANDS, 1);

        Answer first = call("createPrescription", "-", PRESCRIPTION, "key-1");
        Answer repeat = call("createPrescription", "-", PRESCRIPTION, "key-1");

        sent.assertIsSatisfied();
        assertThat(repeat.status()).isEqualTo(202);
        assertThat(repeat.header(Exchange.CONTENT_TYPE)).isEqualTo("application/json");
        assertThat(repeat.body()).isEqualTo(first.body());
        assertThat(log.accepted).hasSize(1);
    }

    @Test
    void sendsNothingForACommandThatWasHandledBefore() throws Exception {
        MockEndpoint sent = sink(COMMANDS, 0);
        log.handledBefore = true;

        Answer answer = call("cancelPrescription", "rx-1", "", "key-1");

        sent.assertIsSatisfied();
        assertThat(answer.status()).isEqualTo(202);
    }

    @Test
    void answers400AndAcceptsNothingForAWrongCommand() {
        Answer answer = call("updatePrescription", "rx-1", """
                {"version":0}""", null);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains("body /version: must be at least 1");
        assertThat(log.accepted).isEmpty();
    }

    private Answer call(String operation, String id, String body, String key) {
        return call(operation, Requests.post(CALLER, key), Map.of("id", id), body);
    }

    /** In place of the table. */
    public static final class Log {

        private final List<String> accepted = new ArrayList<>();
        private boolean handledBefore;

        public void accept(Exchange exchange) {
            accepted.add(PrescriptionCommandFactory.outgoing(exchange).commandId());
            if (handledBefore) {
                exchange.setProperty(CommandRepository.HANDLED_BEFORE, true);
            }
        }
    }
}
