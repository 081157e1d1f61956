package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import routes.RouteFile;
import routes.RouteTest;
import routes.RouteYaml;

/** The route that announces events to the subscribers of medication.prescription.*. */
@RouteFile(value = "cqrs", routes = "cqrs-announce-prescription", sinks = "kafka:medication.prescription.*")
class AnnounceRouteTest extends RouteTest {

    private static final String EVENT_ID = "5a3c7f0e-0f3e-4f9a-8f60-2f4f5b2a9d11";
    private static final String PRESCRIPTION =
            """
            {"id":"rx-1","patientId":"p","medication":{"name":"Aspirin"},"quantity":1.50,"version":1,"status":"active",\
            "createdAt":1,"updatedAt":1}""";

    @Override
    protected void bind(Registry registry) {
        registry.bind("prescriptionEventTranslator", new PrescriptionEventTranslator(contract));
    }

    @Test
    void announcesAnEventOfAWholePrescription() throws Exception {
        MockEndpoint created = sink("kafka:medication.prescription.created", 1);
        MockEndpoint updated = sink("kafka:medication.prescription.updated", 1);

        receive(event("PrescriptionCreated", PRESCRIPTION));
        receive(event("PrescriptionLocked", PRESCRIPTION.replaceFirst("\\{", """
                {"sagaId":"s",""")));

        MockEndpoint.assertIsSatisfied(context);
        assertIsOf("medication.prescription.created", created);
        assertIsOf("medication.prescription.updated", updated);
    }

    @Test
    void announcesADuplicateWithTheSameId() throws Exception {
        MockEndpoint created = sink("kafka:medication.prescription.created", 2);

        receive(event("PrescriptionCreated", PRESCRIPTION));
        receive(event("PrescriptionCreated", PRESCRIPTION));

        created.assertIsSatisfied();
        assertThat(created.getExchanges().get(0).getMessage().getBody(byte[].class))
                .isEqualTo(created.getExchanges().get(1).getMessage().getBody(byte[].class));
    }

    @Test
    void announcesNoEventWithoutAWholePrescription() throws Exception {
        MockEndpoint created = sink("kafka:medication.prescription.created", 1);

        receive(event("PrescriptionUnlocked", """
                {"id":"rx-1","sagaId":"s"}"""));
        receive(event(
                "PrescriptionUpdated", """
                {"id":"rx-1","patientId":"p","medication":{"name":"n"}}"""));
        receive(event("PrescriptionCreated", PRESCRIPTION));

        // it comes behind them
        created.assertIsSatisfied();
        sink("kafka:medication.prescription.updated").expectedMessageCount(0);
        MockEndpoint.assertIsSatisfied(context);
    }

    private static void assertIsOf(String topic, MockEndpoint sink) {
        Message record = sink.getExchanges().get(0).getMessage();
        JsonNode envelope = RouteYaml.read(text(record.getBody(byte[].class)));
        assertThat(envelope.at("/metadata/eventType").asText()).isEqualTo(topic);
        assertThat(envelope.at("/metadata/eventSource").asText()).isEqualTo("medication-service");
        assertThat(envelope.at("/metadata/causationId").asText()).isEqualTo(EVENT_ID);
        assertThat(text(record.getBody(byte[].class))).contains("""
                "payload":""" + PRESCRIPTION);
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class))).isEqualTo("rx-1");
        assertThat(record.getHeader("event-type")).isEqualTo(topic);
        assertThat(record.getHeader("content-type")).isEqualTo("application/json");
        assertThat(record.getHeader("tenant")).isEqualTo("default");
    }

    private void receive(byte[] event) {
        receive("kafka:medication.events", "medication.events", event);
    }

    static byte[] event(String type, String payload) {
        return """
                {"eventId":"%s","eventType":"%s","aggregateId":"rx-1","timestamp":1,"payload":%s,"commandId":"c-1"}"""
                .formatted(EVENT_ID, type, payload)
                .getBytes();
    }
}
