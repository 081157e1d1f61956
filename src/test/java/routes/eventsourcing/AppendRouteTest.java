package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import eventbroker.patient.PatientEventPayload;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.RouteTest;
import routes.platform.avro.ConfluentAvroDataFormat;
import routes.platform.error.Failures;
import routes.platform.event.Event;
import routes.platform.event.Events;
import routes.platform.http.HttpRequest;
import routes.platform.http.Problems;
import routes.platform.http.TestLimits;
import routes.platform.state.IdempotencyKeys;

class AppendRouteTest extends RouteTest {

    private static final String TOPIC = "patient.events";

    @Override
    protected String word() {
        return "eventsourcing";
    }

    @Override
    protected String routes() {
        return "eventsourcing-append-*";
    }

    @Override
    protected void bind(Registry registry) {
        registry.bind("avro", new ConfluentAvroDataFormat(contract, avro));
        registry.bind("patientEvents", new PatientEvents());
        // no request here has a key
        registry.bind("idempotencyKeys", new IdempotencyKeys(null, null));
        registry.bind("brokerBulkhead", TestLimits.bulkhead());
        registry.bind("problems", new Problems(new ObjectMapper(), new Failures()));
    }

    @Override
    protected String sinks() {
        return "kafka:.*";
    }

    @Test
    void appendsAnEventThatReadersOfTheTopicCanRead() throws Exception {
        MockEndpoint appended = acknowledging();

        Exchange answer = append(
                "{\"type\":\"patient.profile.created\",\"data\":{\"firstName\":\"Zoë\",\"lastName\":null,\"gender\":\"female\"}}");

        appended.assertIsSatisfied();
        Message record = appended.getExchanges().get(0).getMessage();
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class))).isEqualTo("patient-7");
        assertThat(record.getHeaders())
                .containsEntry("event-type", "patient.profile.created")
                .containsEntry("aggregate-id", "patient-7")
                .containsEntry("correlation-id", "journey-1")
                .containsEntry("causation-id", "request-1")
                .containsEntry("tenant", "default");
        Event<?> event = new Events(contract, avro).decode(record.getBody(byte[].class), TOPIC, Map.of(), -1);
        assertThat(event.metadata().eventType()).isEqualTo("patient.profile.created");
        assertThat(event.metadata().correlationId()).isEqualTo("journey-1");
        assertThat(event.metadata().causationId()).isEqualTo("request-1");
        assertThat(event.metadata().tenant()).isEqualTo("default");
        PatientEventPayload payload = (PatientEventPayload) event.payload();
        assertThat(payload.getFirstName()).isEqualTo("Zoë");
        assertThat(payload.getLastName()).isNull();
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        JsonNode receipt = json(answer);
        assertThat(receipt.path("eventId").asText()).isEqualTo(event.metadata().eventId());
        assertThat(receipt.path("topic").asText()).isEqualTo(TOPIC);
        assertThat(receipt.path("partition").asInt()).isEqualTo(4);
        assertThat(receipt.path("offset").asLong()).isEqualTo(41);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'patient.profile.created','data':{'lastName':'A','dateOfBirth':'1984','gender':'unknown','email':''}}",
                "{'type':'patient.profile.updated','data':{'dateOfBirth':'1984-02','reason':'typing error'}}",
                "{'type':'patient.address.updated','data':{'postalCode':'H2X 1Y4'}}",
                "{'type':'patient.contact.updated','data':{'language':'fr-CA','email':'zoe@example.org','phone':'+1 514 555 0100'}}",
                "{'type':'patient.merged','data':{'mergedInto':'patient-8'}}",
                "{'type':'patient.deceased','data':{'deceasedAt':'2024-02-29'}}",
                "{'type':'patient.deceased','data':{'deceasedAt':'2024-02-29T08:30:00+01:00'}}"
            })
    void takesWhatCanHappenToAPatient(String body) throws Exception {
        MockEndpoint appended = acknowledging();

        Exchange answer = append(body.replace('\'', '"'));

        appended.assertIsSatisfied();
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "`{'type':'patient.profile.deleted','data':{}}`, `/type: is not one of patient.profile.created, `",
                "`{'type':7,'data':{}}`, `/type: is not one of `",
                "`{'type':'patient.merged','data':{'mergedInto':'p'},'id':'x'}`, `/: property 'id' is not known`",
                "`{'type':'patient.profile.created','data':[]}`, `/data: has the wrong type, expected object`",
                "`{'type':'patient.profile.created','data':{}}`, `/data: one of the properties firstName, lastName is required`",
                "`{'type':'patient.profile.created','data':{'firstName':null}}`, `/data: one of the properties firstName`",
                "`{'type':'patient.address.updated','data':{'reason':'moved'}}`, `/data: one of the properties street, `",
                "`{'type':'patient.merged','data':{}}`, `/data: required property 'mergedInto' not found`",
                "`{'type':'patient.address.updated','data':{'firstName':'Zebra'}}`, `/data: property 'firstName' is not known of patient.address.updated`",
                "`{'type':'patient.address.updated','data':{'Zebra quine':'x'}}`, `/data: a property is not known of patient.address.updated`",
                "`{'type':'patient.profile.updated','data':{'firstName':7}}`, `/data/firstName: has the wrong type, expected string`",
                "`{'type':'patient.profile.updated','data':{'firstName':'a\\u0000b'}}`, `/data/firstName: is longer than 1024 characters, or has control characters`",
                "`{'type':'patient.profile.updated','data':{'dateOfBirth':'1983-02-29'}}`, `/data/dateOfBirth: is no date`",
                "`{'type':'patient.profile.updated','data':{'dateOfBirth':'29.02.1984'}}`, `/data/dateOfBirth: is no date`",
                "`{'type':'patient.profile.updated','data':{'gender':'Zebra'}}`, `/data/gender: is not one of male, female, other, unknown`",
                "`{'type':'patient.contact.updated','data':{'email':'Zebra'}}`, `/data/email: is no address`",
                "`{'type':'patient.contact.updated','data':{'language':'Zebra quine'}}`, `/data/language: is no language`",
                "`{'type':'patient.merged','data':{'mergedInto':'patient-7'}}`, `/data/mergedInto: is the patient's own id`",
                "`{'type':'patient.merged','data':{'mergedInto':'a b'}}`, `/data/mergedInto: is no patient id`",
                "`{'type':'patient.deceased','data':{'deceasedAt':'2024-02-29T08:30:00'}}`, `/data/deceasedAt: is no date`"
            })
    void saysWhatIsWrongAndWhereAndNeverTheValue(String body, String error) throws Exception {
        MockEndpoint appended = getMockEndpoint("mock:kafka:" + TOPIC);
        appended.expectedMessageCount(0);
        appended.setResultWaitTime(1);

        Exchange answer = append(body.replace('\'', '"'));

        appended.assertIsSatisfied();
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(400);
        assertThat(json(answer).path("error").asText()).startsWith(error).doesNotContain("Zebra");
    }

    @Test
    void answers503WhenTheIdOfTheSchemaCannotBeHad() throws Exception {
        registry.stop();
        MockEndpoint appended = getMockEndpoint("mock:kafka:" + TOPIC);
        appended.expectedMessageCount(0);
        appended.setResultWaitTime(1);

        Exchange answer = append("{\"type\":\"patient.merged\",\"data\":{\"mergedInto\":\"patient-8\"}}");

        appended.assertIsSatisfied();
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(503);
        assertThat(answer.getMessage().getHeader("Retry-After")).isNotNull();
    }

    /** Says where the record rests, as the producer does. */
    private MockEndpoint acknowledging() {
        MockEndpoint appended = getMockEndpoint("mock:kafka:" + TOPIC);
        appended.expectedMessageCount(1);
        appended.whenAnyExchangeReceived(exchange -> exchange.getMessage()
                .setHeader(
                        KafkaConstants.KAFKA_RECORD_META,
                        List.of(new RecordMetadata(new TopicPartition(TOPIC, 4), 41, 0, 0, 0, 0))));
        return appended;
    }

    private static JsonNode json(Exchange answer) throws IOException {
        return new ObjectMapper().readTree(answer.getMessage().getBody(byte[].class));
    }

    private Exchange append(String body) {
        return template.request("direct:appendPatientEvent", exchange -> {
            new HttpRequest(
                            CALLER,
                            "journey-1",
                            "request-1",
                            Optional.empty(),
                            "POST",
                            "/",
                            Map.of(),
                            "application/json")
                    .bindTo(exchange);
            exchange.getMessage().setHeader("id", "patient-7");
            exchange.getMessage().setBody(body.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        });
    }
}
