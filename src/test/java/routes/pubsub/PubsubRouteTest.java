package routes.pubsub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Body;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.Requests;
import routes.RouteFile;
import routes.RouteTest;
import routes.RouteYaml;
import routes.platform.event.EnvelopeWrapper;
import routes.platform.event.Event;
import routes.platform.event.EventReader;
import routes.platform.event.NdjsonBatches;
import routes.platform.http.TestLimits;

@RouteFile(
        value = "pubsub",
        sinks = {"kafka:dlq.*", "kafka:publish.*"})
class PubsubRouteTest extends RouteTest {

    private static final String CREATED = "medication.prescription.created";

    private final Orders orders = new Orders();
    private final Activity activity = new Activity();

    @Override
    protected void bind(Registry registry) {
        EnvelopeWrapper events = new EnvelopeWrapper(contract, new EventReader(contract, avro));
        registry.bind("pharmacyOrderQueue", orders);
        registry.bind("activityLog", activity);
        registry.bind("envelopeWrapper", events);
        // no stream here has a key
        registry.bind("ndjsonBatches", new NdjsonBatches(events, null, TestLimits.limits()));
    }

    @Test
    void queuesAnOrderForAPrescription() {
        receive(event("prescription-created.json"));

        await().untilAsserted(() -> assertThat(orders.queued).hasSize(1));
        Event<JsonNode> event = orders.queued.get(0);
        assertThat(event.payload().path("id").asText()).isEqualTo("rx-1001");
        assertThat(event.metadata().correlationId()).isEqualTo("visit-4711");
    }

    @Test
    void deadLettersPoisonWithItsOriginalBytes() throws Exception {
        MockEndpoint dlq = sink("kafka:dlq", 1);
        byte[] poison = """
                {"metadata":{}, "payload":""".getBytes();

        receive(poison);

        dlq.assertIsSatisfied();
        assertThat(dlq.getExchanges().get(0).getMessage().getBody(byte[].class)).isEqualTo(poison);
        assertThat(orders.queued).isEmpty();
    }

    @Test
    void deadLettersNothingWhileTheDatabaseIsDown() throws Exception {
        MockEndpoint dlq = sink("kafka:dlq", 0);
        orders.failures.set(1);

        receive(event("prescription-created.json"));

        await().untilAsserted(() -> assertThat(orders.failures.get()).isZero());
        dlq.assertIsSatisfied();
        assertThat(orders.queued).isEmpty();
    }

    @Test
    void publishesAPayloadInAnEnvelope() throws Exception {
        MockEndpoint published = sink("kafka:publish", 1);

        Answer answer =
                publish(CREATED, """
                {"id":"rx-7","patientId":"p","medication":{"name":"Aspirin"}}""");

        published.assertIsSatisfied();
        Message record = published.getExchanges().get(0).getMessage();
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class))).isEqualTo("rx-7");
        assertThat(record.getHeader("correlation-id")).isEqualTo("journey-1");
        assertThat(record.getHeader("event-type")).isEqualTo(CREATED);
        JsonNode envelope = RouteYaml.read(text(record.getBody(byte[].class)));
        assertThat(envelope.at("/metadata/security/principal").asText()).isEqualTo("sandbox");
        assertThat(envelope.at("/payload/medication/name").asText()).isEqualTo("Aspirin");
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.json().path("eventId")).isEqualTo(envelope.at("/metadata/eventId"));
    }

    @Test
    void answers400AndPublishesNothingForAWrongPayload() throws Exception {
        MockEndpoint published = sink("kafka:publish", 0);

        Answer answer = publish(CREATED, """
                {"id":"rx-7","patientId":"p","medication":{}}""");

        published.assertIsSatisfied();
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains("body /medication/name: is required");
    }

    @Test
    void answers404ForATopicThatIsNotOpen() {
        assertThat(publish("medication.prescription.created.dlq", "{}").status())
                .isEqualTo(404);
    }

    private void receive(byte[] value) {
        receive("kafka:{{event-broker.pubsub.prescription-topics}}", CREATED, value);
    }

    private Answer publish(String topic, String body) {
        return call("publishEvents", Requests.post(CALLER), Map.of("topic", topic), body);
    }

    /** Queues in memory; fails like a database that is down, as often as told. */
    public static final class Orders {

        final List<Event<JsonNode>> queued = new CopyOnWriteArrayList<>();
        final AtomicInteger failures = new AtomicInteger();

        public void upsert(@Body Event<JsonNode> event) {
            if (failures.getAndDecrement() > 0) {
                throw new DataAccessResourceFailureException("down");
            }
            queued.add(event);
        }

        public List<String> list() {
            return List.of();
        }
    }

    public static final class Activity {

        public void append(@Body List<?> records) {
            // not what is tested here
        }

        public List<String> list() {
            return List.of();
        }
    }
}
