package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import routes.Requests;
import routes.RouteTest;
import routes.platform.error.FailureClassifier;
import routes.platform.event.EventReader;
import routes.platform.http.ProblemResponses;
import routes.platform.http.TestLimits;

/** The routes that make commands of requests. */
class CommandRouteTest extends RouteTest {

    private static final String COMMANDS = "kafka:medication.commands";
    private static final String PRESCRIPTION = "{\"patientId\":\"p\",\"medication\":{\"name\":\"Aspirin\"}}";

    private final Log log = new Log();
    private final Keys keys = new Keys();

    @Override
    protected String word() {
        return "cqrs";
    }

    @Override
    protected String routes() {
        return "cqrs-create-*,cqrs-update-*,cqrs-cancel-*,cqrs-accept-*,cqrs-send-*";
    }

    @Override
    protected void bind(Registry registry) {
        registry.bind(
                "prescriptionCommandFactory",
                new PrescriptionCommandFactory(contract, new EventReader(contract, avro)));
        registry.bind("commandRepository", log);
        registry.bind("brokerBulkhead", TestLimits.bulkhead());
        registry.bind("idempotencyKeys", keys);
        registry.bind("problemResponses", new ProblemResponses(new ObjectMapper(), new FailureClassifier()));
    }

    @Override
    protected String sinks() {
        return COMMANDS + ".*";
    }

    @Test
    void notesACommandAndThenSendsIt() throws Exception {
        MockEndpoint sent = getMockEndpoint("mock:" + COMMANDS);
        sent.expectedMessageCount(1);

        Exchange answer = request("direct:createPrescription", "-", PRESCRIPTION, "key-1");

        sent.assertIsSatisfied();
        Message record = sent.getExchanges().get(0).getMessage();
        JsonNode command = new ObjectMapper().readTree(record.getBody(byte[].class));
        assertThat(log.accepted).containsExactly(command.path("commandId").asText());
        assertThat(command.path("commandType").asText()).isEqualTo("CreatePrescription");
        assertThat(command.path("userId").asText()).isEqualTo("sandbox");
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class)))
                .isEqualTo(command.path("aggregateId").asText());
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        String receipt = answer.getMessage().getBody(String.class);
        assertThat(receipt)
                .isEqualTo(
                        "{\"message\":\"Prescription command accepted\",\"prescriptionId\":\"%s\",\"commandId\":\"%s\"}"
                                .formatted(
                                        command.path("aggregateId").asText(),
                                        command.path("commandId").asText()));
        assertThat(request("direct:createPrescription", "-", PRESCRIPTION, "key-1")
                        .getMessage()
                        .getBody(String.class))
                .isEqualTo(receipt);
    }

    @Test
    void sendsNothingOfACommandThatWasHandledBefore() throws Exception {
        MockEndpoint sent = getMockEndpoint("mock:" + COMMANDS);
        sent.expectedMessageCount(0);
        sent.setResultWaitTime(1);
        log.handledBefore = true;

        Exchange answer = request("direct:cancelPrescription", "rx-1", "", "key-1");

        sent.assertIsSatisfied();
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
    }

    @Test
    void sendsNothingForARequestThatWasAnswered() throws Exception {
        MockEndpoint sent = getMockEndpoint("mock:" + COMMANDS);
        sent.expectedMessageCount(0);
        sent.setResultWaitTime(1);
        keys.firstAnswer = "{\"commandId\":\"c-1\"}";

        Exchange answer = request("direct:cancelPrescription", "rx-1", "", "key-1");

        sent.assertIsSatisfied();
        assertThat(answer.getMessage().getBody(String.class)).isEqualTo("{\"commandId\":\"c-1\"}");
        assertThat(answer.getMessage().getHeader(Exchange.CONTENT_TYPE)).isEqualTo("application/json");
        assertThat(log.accepted).isEmpty();
    }

    @Test
    void answers400AndNotesNothingWhenThereIsNoSuchCommand() {
        Exchange answer = request("direct:updatePrescription", "rx-1", "{\"version\":0}", null);

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(400);
        assertThat(answer.getMessage().getBody(String.class)).contains("body /version: must be at least 1");
        assertThat(log.accepted).isEmpty();
    }

    private Exchange request(String uri, String id, String body, String key) {
        return template.request(uri, exchange -> {
            Requests.post(CALLER, key).bindTo(exchange);
            exchange.getMessage().setHeader("id", id);
            exchange.getMessage().setBody(body.getBytes());
        });
    }

    /** In place of the table of keys. */
    public static final class Keys {

        private String firstAnswer;

        public void claim(Exchange exchange) {
            exchange.setProperty("firstAnswer", firstAnswer);
        }

        public void keep() {
            // nothing is asked again
        }
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
