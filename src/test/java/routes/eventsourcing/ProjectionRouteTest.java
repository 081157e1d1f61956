package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Body;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.Requests;
import routes.RouteFile;
import routes.RouteTest;
import routes.platform.error.ProblemException;
import routes.platform.event.Event;

/** The routes of the view of patients and of its rebuild. */
@RouteFile(
        value = "eventsourcing",
        routes = {
            "eventsourcing-project-patients",
            "eventsourcing-show-*",
            "eventsourcing-list-*",
            "eventsourcing-begin-rebuild",
            "eventsourcing-rebuild"
        },
        sinks = {"kafka:dlq.*", "micrometer:.*"})
class ProjectionRouteTest extends RouteTest {

    private static final String TOPIC = "patient.events";

    private final View view = new View();
    private final Worker worker = new Worker();

    @Override
    protected void bind(Registry registry) {
        registry.bind("patientProjection", view);
        registry.bind("patientQueries", new Queries());
        registry.bind("rebuildService", new Operations());
        registry.bind("rebuildWorker", worker);
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
        MockEndpoint dlq = sink("kafka:dlq", 1);
        byte[] poison = {0, 0, 0};

        receive(poison);

        dlq.assertIsSatisfied();
        assertThat(dlq.getExchanges().get(0).getMessage().getBody(byte[].class)).isEqualTo(poison);
        assertThat(view.events).isEmpty();
    }

    @Test
    void deadLettersNothingWhileTheDatabaseIsDown() throws Exception {
        MockEndpoint dlq = sink("kafka:dlq", 0);
        view.failure = new DataAccessResourceFailureException("down");

        receive(value());

        await().untilAsserted(() -> assertThat(view.tried).hasValue(1));
        dlq.assertIsSatisfied();
    }

    @Test
    void answersQueriesFromTheView() {
        assertThat(query("getPatient", "id", "p1").body()).isEqualTo("""
                {"id":"p1"}""");
        assertThat(query("listPatientEvents", "id", "p1").body()).isEqualTo("""
                ["p1"]""");
        assertThat(query("getProjection", "name", "patient-view").body())
                .isEqualTo("""
                {"state":"LIVE"}""");
    }

    @Test
    void answers404ForAPatientWithoutEvents() {
        Answer answer = query("getPatient", "id", "nobody");

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.body()).contains("no such patient");
    }

    @Test
    void answers202WhenARebuildHasBegun() {
        Answer answer = call("rebuildProjection", Requests.post(CALLER), Map.of("name", "patient-view"));

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body()).isEqualTo("""
                {"state":"REBUILDING"}""");
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
        receiveBatch("kafka:patient.events", TOPIC, values);
    }

    private Answer query(String operation, String parameter, String value) {
        return call(operation, Requests.get(CALLER), Map.of(parameter, value));
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
