package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.DefaultMessage;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.Requests;
import routes.RouteTest;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;
import routes.platform.event.Event;
import routes.platform.http.ProblemResponses;

/** The routes of the view of patients and of replay. */
class ProjectionRouteTest extends RouteTest {

    private static final String TOPIC = "patient.events";

    private final View view = new View();
    private final Worker worker = new Worker();

    @Override
    protected String word() {
        return "eventsourcing";
    }

    @Override
    protected String routes() {
        return "eventsourcing-project-patients,eventsourcing-show-*,eventsourcing-list-*,eventsourcing-begin-rebuild,eventsourcing-rebuild";
    }

    @Override
    protected void bind(Registry registry) {
        registry.bind("patientProjection", view);
        registry.bind("patientQueries", new Queries());
        registry.bind("rebuildService", new Operations());
        registry.bind("rebuildWorker", worker);
        registry.bind("problemResponses", new ProblemResponses(new ObjectMapper(), new FailureClassifier()));
    }

    @Override
    protected String sinks() {
        return "kafka:dlq.*|micrometer:.*";
    }

    @Test
    void projectsABatchOfEvents() throws Exception {
        receive(value(), value());

        await().untilAsserted(() -> assertThat(view.events)
                .extracting(event -> event.metadata().eventType())
                .containsExactly("patient.profile.created", "patient.profile.created"));
    }

    @Test
    void deadLettersPoisonWithItsBytes() throws Exception {
        MockEndpoint dlq = getMockEndpoint("mock:kafka:dlq");
        dlq.expectedMessageCount(1);
        byte[] poison = {0, 0, 0};

        receive(poison);

        dlq.assertIsSatisfied();
        assertThat(dlq.getExchanges().get(0).getMessage().getBody(byte[].class)).isEqualTo(poison);
        assertThat(view.events).isEmpty();
    }

    @Test
    void failsWhileTheDatabaseIsDownSoThatTheEventsComeAgain() throws Exception {
        MockEndpoint dlq = getMockEndpoint("mock:kafka:dlq");
        dlq.expectedMessageCount(0);
        dlq.setResultWaitTime(1);
        view.failure = new DataAccessResourceFailureException("down");

        receive(value());

        await().untilAsserted(() -> assertThat(view.tried).hasValue(1));
        dlq.assertIsSatisfied();
    }

    @Test
    void answersAPatientAndItsHistory() {
        assertThat(body(request("direct:getPatient", "p1"))).isEqualTo("{\"id\":\"p1\"}");
        assertThat(body(request("direct:listPatientEvents", "p1"))).isEqualTo("[\"p1\"]");
    }

    @Test
    void answers404ForAPatientWithoutEvents() {
        Exchange answer = request("direct:getPatient", "nobody");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(404);
        assertThat(body(answer)).contains("no such patient");
    }

    @Test
    void answers202WhenARebuildHasBegun() {
        Exchange answer = request("direct:rebuildProjection", "patient-view");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        assertThat(body(answer)).isEqualTo("{\"state\":\"REBUILDING\"}");
        assertThat(body(request("direct:getProjection", "patient-view"))).isEqualTo("{\"state\":\"LIVE\"}");
    }

    @Test
    void goesOnRebuildingAfterAFailure() {
        worker.failure = new DataAccessResourceFailureException("down");

        await().untilAsserted(() -> assertThat(worker.turns).hasValueGreaterThan(2));
    }

    private byte[] value() throws Exception {
        return avro.encode(Samples.record(
                UUID.randomUUID(), "patient.profile.created", 1, "default", Map.of("lastName", "Núñez")));
    }

    private void receive(byte[]... values) {
        template.send("kafka:patient.events", exchange -> {
            List<Message> batch = new ArrayList<>();
            for (byte[] value : values) {
                Message message = new DefaultMessage(exchange);
                message.setHeader(KafkaConstants.TOPIC, TOPIC);
                message.setBody(value);
                batch.add(message);
            }
            exchange.setProperty(DeadLetterChannel.RECORD, new ConsumerRecord<>(TOPIC, 0, 0, null, values[0]));
            exchange.getMessage().setHeader(KafkaConstants.TOPIC, TOPIC);
            exchange.getMessage().setBody(batch);
        });
    }

    private Exchange request(String uri, String id) {
        return template.request(uri, exchange -> {
            Requests.get(CALLER).bindTo(exchange);
            exchange.getMessage().setHeader("id", id);
        });
    }

    private static String body(Exchange answer) {
        return answer.getMessage().getBody(String.class);
    }

    public static final class View {

        final List<Event<?>> events = new CopyOnWriteArrayList<>();
        final AtomicInteger tried = new AtomicInteger();
        volatile RuntimeException failure;

        public void project(@Body List<Message> batch) {
            tried.incrementAndGet();
            if (failure != null) {
                throw failure;
            }
            batch.forEach(message -> events.add(message.getBody(Event.class)));
        }
    }

    public static final class Queries {

        public Map<String, String> show(@Header("id") String id) {
            if (id.equals("nobody")) {
                throw new ProblemException(404, "no such patient");
            }
            return Map.of("id", id);
        }

        public List<String> history(@Header("id") String id) {
            return List.of(id);
        }
    }

    public static final class Operations {

        public Map<String, String> start() {
            return Map.of("state", "REBUILDING");
        }

        public Map<String, String> show() {
            return Map.of("state", "LIVE");
        }
    }

    public static final class Worker {

        final AtomicInteger turns = new AtomicInteger();
        volatile RuntimeException failure;

        public void runDueSteps() {
            turns.incrementAndGet();
            if (failure != null) {
                throw failure;
            }
        }
    }
}
