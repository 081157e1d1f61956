package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import eventbroker.patient.PatientEventPayload;
import java.util.List;
import java.util.Map;
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
import routes.Requests;
import routes.RouteFile;
import routes.RouteTest;
import routes.platform.avro.ConfluentAvroDataFormat;
import routes.platform.event.Event;
import routes.platform.event.EventReader;

@RouteFile(value = "eventsourcing", routes = "eventsourcing-append-*", sinks = "kafka:.*")
class AppendRouteTest extends RouteTest {

    private static final String TOPIC = "patient.events";

    @Override
    protected void bind(Registry registry) {
        registry.bind("avro", new ConfluentAvroDataFormat(avro));
        registry.bind("patientEventFactory", new PatientEventFactory());
    }

    @Test
    void appendsAnEventThatReadersOfTheTopicCanRead() throws Exception {
        MockEndpoint appended = acknowledging();

        Answer answer = append(
                """
                {"type":"patient.profile.created","data":{"firstName":"Zoë","lastName":null,"gender":"female"}}""");

        appended.assertIsSatisfied();
        Message record = appended.getExchanges().get(0).getMessage();
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class))).isEqualTo("patient-7");
        assertThat(record.getHeaders())
                .containsEntry("event-type", "patient.profile.created")
                .containsEntry("aggregate-id", "patient-7")
                .containsEntry("correlation-id", "journey-1")
                .containsEntry("causation-id", "request-1")
                .containsEntry("tenant", "default");
        Event<?> event = new EventReader(contract, avro).decode(record.getBody(byte[].class), TOPIC, Map.of(), -1);
        assertThat(event.metadata().eventType()).isEqualTo("patient.profile.created");
        assertThat(event.metadata().correlationId()).isEqualTo("journey-1");
        assertThat(event.metadata().causationId()).isEqualTo("request-1");
        assertThat(event.metadata().tenant()).isEqualTo("default");
        PatientEventPayload payload = (PatientEventPayload) event.payload();
        assertThat(payload.getFirstName()).isEqualTo("Zoë");
        assertThat(payload.getLastName()).isNull();
        assertThat(answer.status()).isEqualTo(202);
        JsonNode receipt = answer.json();
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
    void appendsEveryTypeOfPatientEvent(String body) throws Exception {
        MockEndpoint appended = acknowledging();

        Answer answer = append(body.replace('\'', '"'));

        appended.assertIsSatisfied();
        assertThat(answer.status()).isEqualTo(202);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "`{'type':'patient.profile.deleted','data':{}}`, `body /type: must be one of patient.profile.created, `",
                "`{'type':7,'data':{}}`, `body /type: must be one of `",
                "`{'type':'patient.merged','data':{'mergedInto':'p'},'id':'x'}`, `body /id: is not known; known are type, data`",
                "`{'type':'patient.profile.created','data':[]}`, `body /data: must be an object`",
                "`{'type':'patient.profile.created','data':{}}`, `body /data: must have at least one of firstName, lastName`",
                "`{'type':'patient.profile.created','data':{'firstName':null}}`, `body /data: must have at least one of firstName`",
                "`{'type':'patient.address.updated','data':{'reason':'moved'}}`, `body /data: must have at least one of street, `",
                "`{'type':'patient.merged','data':{}}`, `body /data/mergedInto: is required`",
                "`{'type':'patient.address.updated','data':{'firstName':'Zebra'}}`, `body /data/firstName: is not known; known are street, city`",
                "`{'type':'patient.address.updated','data':{'Zebra quine':'x'}}`, `body /data: has a property that is not known; known are street, city`",
                "`{'type':'patient.profile.updated','data':{'firstName':7}}`, `body /data/firstName: must be a string or null`",
                "`{'type':'patient.profile.updated','data':{'firstName':'a\\u0000b'}}`, `body /data/firstName: must be at most 1024 characters, none of them a control character`",
                "`{'type':'patient.profile.updated','data':{'dateOfBirth':'1983-02-29'}}`, `body /data/dateOfBirth: must be a date`",
                "`{'type':'patient.profile.updated','data':{'dateOfBirth':'29.02.1984'}}`, `body /data/dateOfBirth: must be a date`",
                "`{'type':'patient.profile.updated','data':{'gender':'Zebra'}}`, `body /data/gender: must be one of male, female, other, unknown`",
                "`{'type':'patient.contact.updated','data':{'email':'Zebra'}}`, `body /data/email: must be an address`",
                "`{'type':'patient.contact.updated','data':{'language':'Zebra quine'}}`, `body /data/language: must be a language`",
                "`{'type':'patient.merged','data':{'mergedInto':'patient-7'}}`, `body /data/mergedInto: must be the id of another patient`",
                "`{'type':'patient.merged','data':{'mergedInto':'a b'}}`, `body /data/mergedInto: must be the id of another patient`",
                "`{'type':'patient.deceased','data':{'deceasedAt':'2024-02-29T08:30:00'}}`, `body /data/deceasedAt: must be a date`"
            })
    void answers400WithThePlaceAndWithoutTheValue(String body, String error) throws Exception {
        MockEndpoint appended = sink("kafka:" + TOPIC, 0);

        Answer answer = append(body.replace('\'', '"'));

        appended.assertIsSatisfied();
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("error").asText()).startsWith(error).doesNotContain("Zebra");
    }

    @Test
    void answers503WhileTheSchemaRegistryIsDown() throws Exception {
        registry.stop();
        MockEndpoint appended = sink("kafka:" + TOPIC, 0);

        Answer answer = append("""
                {"type":"patient.merged","data":{"mergedInto":"patient-8"}}""");

        appended.assertIsSatisfied();
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("Retry-After")).isNotNull();
    }

    /** Says where the record rests, as the producer does. */
    private MockEndpoint acknowledging() {
        MockEndpoint appended = sink("kafka:" + TOPIC, 1);
        appended.whenAnyExchangeReceived(exchange -> exchange.getMessage()
                .setHeader(
                        KafkaConstants.KAFKA_RECORD_META,
                        List.of(new RecordMetadata(new TopicPartition(TOPIC, 4), 41, 0, 0, 0, 0))));
        return appended;
    }

    private Answer append(String body) {
        return call("appendPatientEvent", Requests.post(CALLER), Map.of("id", "patient-7"), body);
    }
}
