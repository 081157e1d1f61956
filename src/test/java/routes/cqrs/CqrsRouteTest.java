package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
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

/** The routes of the command handler, of the view, and of the queries. */
@RouteFile(
        value = "cqrs",
        routes = {"cqrs-handle-*", "cqrs-apply-*", "cqrs-build-*", "cqrs-show-*", "cqrs-list-*"},
        sinks = {"kafka:dlq.*", "micrometer:.*", "outbox:.*"})
class CqrsRouteTest extends RouteTest {

    private static final String COMMANDS = "kafka:medication.commands";
    private static final String EVENTS = "kafka:medication.events";
    private static final String PRESCRIPTION = """
            {"patientId":"p","medication":{"name":"Aspirin"}}""";

    private final Handler handler = new Handler();
    private final View view = new View();

    @Override
    protected void bind(Registry registry) {
        registry.bind("commandRepository", new Log());
        registry.bind("commandHandler", handler);
        registry.bind("prescriptionProjection", view);
        registry.bind("prescriptionQueries", new Queries());
    }

    @Test
    void addsEventsOfAppliedCommandsAloneToTheOutbox() throws Exception {
        MockEndpoint outbox = sink("outbox:medication.events");
        outbox.expectedBodiesReceived("CancelPrescription happened", "UpdatePrescription happened");

        receive(COMMANDS, "medication.commands", command("CancelPrescription", "{}"));
        receive(
                COMMANDS,
                "medication.commands",
                command("LockPrescription", """
                {"sagaId":"rejected"}"""));
        receive(COMMANDS, "medication.commands", command("UpdatePrescription", """
                {"quantity":1}"""));

        outbox.assertIsSatisfied();
        assertThat(handler.handled).hasSize(3);
    }

    @Test
    void deadLettersPoisonWithItsBytes() throws Exception {
        MockEndpoint dlq = sink("kafka:dlq");
        byte[] poison = command("CreatePrescription", """
                {"patientId":"p"}""");
        dlq.expectedBodiesReceived(poison);

        receive(COMMANDS, "medication.commands", poison);

        dlq.assertIsSatisfied();
        assertThat(handler.handled).isEmpty();
    }

    @Test
    void deadLettersNothingWhileTheDatabaseIsDown() throws Exception {
        MockEndpoint dlq = sink("kafka:dlq", 0);
        handler.failure = new DataAccessResourceFailureException("down");

        receive(COMMANDS, "medication.commands", command("CancelPrescription", "{}"));

        receive(COMMANDS, "medication.commands", command("CancelPrescription", "{}"));
        // the second comes behind the first's end
        await().untilAsserted(() -> assertThat(handler.handled).hasSize(2));
        dlq.assertIsSatisfied();
    }

    @Test
    void projectsABatchOfEvents() {
        receiveBatch(EVENTS, "medication.events", AnnounceRouteTest.event("PrescriptionCreated", PRESCRIPTION));

        await().untilAsserted(() -> assertThat(view.types).containsExactly("PrescriptionCreated"));
    }

    @Test
    void answersQueriesFromTheView() {
        assertThat(query("getPrescription", "rx-1").body())
                .isEqualTo("""
                {"id":"rx-1", "quantity":1.50}""");
        assertThat(query("listPrescriptions", "-").body())
                .isEqualTo("""
                [{"id":"rx-1", "quantity":1.50}]""");
        assertThat(query("getCommand", "nobody").status()).isEqualTo(404);
    }

    private static byte[] command(String type, String payload) {
        return """
                {"commandId":"c-1","commandType":"%s","aggregateId":"rx-1","timestamp":1,"payload":%s}"""
                .formatted(type, payload)
                .getBytes();
    }

    private Answer query(String operation, String id) {
        return call(operation, Requests.get(CALLER), Map.of("id", id));
    }

    public static final class Log {

        public void show() {
            throw new ProblemException(404, "no such command");
        }
    }

    /** In place of the write model. */
    public static final class Handler {

        private final List<String> handled = new CopyOnWriteArrayList<>();
        private RuntimeException failure;

        public void handle(@Body Event<JsonNode> event, Exchange exchange) {
            handled.add(event.metadata().eventType());
            if (failure != null) {
                throw failure;
            }
            exchange.getMessage()
                    .setBody(
                            event.payload().at("/payload/sagaId").asText().equals("rejected")
                                    ? null
                                    : event.metadata().eventType() + " happened");
        }
    }

    /** In place of the view. */
    public static final class View {

        private final List<String> types = new CopyOnWriteArrayList<>();

        public void project(@Body List<Message> batch) {
            batch.forEach(
                    record -> types.add(record.getBody(Event.class).metadata().eventType()));
        }
    }

    public static final class Queries {

        public PrescriptionQueries.View show(@Header("id") String id) {
            return new PrescriptionQueries.View(
                    id, 1, 1, """
                    {"id":"%s", "quantity":1.50}""".formatted(id));
        }

        public List<PrescriptionQueries.View> list() {
            return List.of(show("rx-1"));
        }
    }
}
