package routes.pubsub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.Requests;
import routes.RouteTest;
import routes.platform.error.FailureClassifier;
import routes.platform.event.EnvelopeWrapper;
import routes.platform.event.Event;
import routes.platform.event.EventReader;
import routes.platform.event.NdjsonBatches;
import routes.platform.http.ProblemResponses;
import routes.platform.http.TestLimits;
import routes.platform.state.IdempotencyKeys;

class PubsubRouteTest extends RouteTest {

    private static final String CREATED = "medication.prescription.created";

    private final Orders orders = new Orders();
    private final Activity activity = new Activity();

    @Override
    protected String word() {
        return "pubsub";
    }

    @Override
    protected void bind(Registry registry) {
        registry.bind("pharmacyOrderQueue", orders);
        registry.bind("activityLog", activity);
        // no request here has a key
        IdempotencyKeys keys = new IdempotencyKeys(null, null);
        registry.bind("idempotencyKeys", keys);
        registry.bind("brokerBulkhead", TestLimits.bulkhead());
        EnvelopeWrapper httpEvents = new EnvelopeWrapper(contract, new EventReader(contract, avro));
        registry.bind("envelopeWrapper", httpEvents);
        registry.bind("ndjsonBatches", new NdjsonBatches(httpEvents, keys, new ObjectMapper(), TestLimits.limits()));
        registry.bind("problemResponses", new ProblemResponses(new ObjectMapper(), new FailureClassifier()));
    }

    @Override
    protected String sinks() {
        return "kafka:dlq.*|kafka:publish.*";
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
    void deadLettersWhatIsNotAPrescriptionWithItsOriginalBytes() throws Exception {
        MockEndpoint dlq = getMockEndpoint("mock:kafka:dlq");
        dlq.expectedMessageCount(1);

        receive("{\"metadata\":{}, \"payload\":".getBytes());

        dlq.assertIsSatisfied();
        assertThat(text(dlq.getExchanges().get(0).getMessage().getBody(byte[].class)))
                .isEqualTo("{\"metadata\":{}, \"payload\":");
        assertThat(orders.queued).isEmpty();
    }

    @Test
    void failsWhileADatabaseIsDownAndDeadLettersNothing() throws Exception {
        MockEndpoint dlq = getMockEndpoint("mock:kafka:dlq");
        dlq.expectedMessageCount(0);
        dlq.setResultWaitTime(1);
        orders.failures.set(1);

        receive(event("prescription-created.json"));

        await().untilAsserted(() -> assertThat(orders.failures.get()).isZero());
        dlq.assertIsSatisfied();
        assertThat(orders.queued).isEmpty();
    }

    @Test
    void fillsTheEnvelopeOfAPayload() throws Exception {
        MockEndpoint published = getMockEndpoint("mock:kafka:publish");
        published.expectedMessageCount(1);

        Exchange answer =
                publish(CREATED, "{\"id\":\"rx-7\",\"patientId\":\"p\",\"medication\":{\"name\":\"Aspirin\"}}");

        published.assertIsSatisfied();
        var record = published.getExchanges().get(0).getMessage();
        assertThat(text(record.getHeader(KafkaConstants.KEY, byte[].class))).isEqualTo("rx-7");
        assertThat(record.getHeader("correlation-id")).isEqualTo("journey-1");
        assertThat(record.getHeader("event-type")).isEqualTo(CREATED);
        var value = new ObjectMapper().readTree(record.getBody(byte[].class));
        assertThat(value.at("/metadata/security/principal").asText()).isEqualTo("sandbox");
        assertThat(value.at("/payload/medication/name").asText()).isEqualTo("Aspirin");
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        assertThat(answer.getMessage().getBody(String.class))
                .contains(value.at("/metadata/eventId").asText());
    }

    @Test
    void answers400AndPublishesNothingWhenThePayloadIsWrong() throws Exception {
        MockEndpoint published = getMockEndpoint("mock:kafka:publish");
        published.expectedMessageCount(0);
        published.setResultWaitTime(1);

        Exchange answer = publish(CREATED, "{\"id\":\"rx-7\",\"patientId\":\"p\",\"medication\":{}}");

        published.assertIsSatisfied();
        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(400);
        assertThat(answer.getMessage().getBody(String.class)).contains("body /medication/name: is required");
    }

    @Test
    void answers404ForATopicThatIsNotOpen() {
        Exchange answer = publish("medication.prescription.created.dlq", "{}");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(404);
    }

    private void receive(byte[] value) {
        receive("kafka:{{event-broker.pubsub.prescription-topics}}", CREATED, value);
    }

    private Exchange publish(String topic, String body) {
        return template.request("direct:publishEvents", exchange -> {
            Requests.post(CALLER).bindTo(exchange);
            exchange.getMessage().setHeader("topic", topic);
            exchange.getMessage().setHeader("Content-Type", "application/json");
            exchange.getMessage().setBody(body.getBytes());
        });
    }

    /** Queues in memory; fails as a database does that is down, as often as told. */
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
