package routes.faults;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.apache.camel.Body;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.springframework.boot.SpringApplication;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;
import routes.EventBroker;
import routes.platform.event.Event;
import routes.platform.state.HandledEvents;

/**
 * Runs the runtime with the two routes of {@code faults/faults.camel.yaml}. Each event has one effect, in one
 * transaction with its note in {@code HandledEvents}, and each attempt has a row of its own. It is no component, so no
 * other runtime has these routes.
 */
class FaultEffects {

    private static final String GROUP = "pharmacy-prescription-processor";

    private final JdbcTemplate jdbc;
    private final HandledEvents handled;

    FaultEffects(JdbcTemplate jdbc, HandledEvents handled) {
        this.jdbc = jdbc;
        this.handled = handled;
    }

    public static void main(String[] arguments) {
        new SpringApplication(EventBroker.class, FaultEffects.class).run(arguments);
    }

    static void createTables(JdbcTemplate jdbc) {
        jdbc.execute(
                "create table fault_effect (id bigserial, run text, topic text, key text, seq int, event_id text)");
        jdbc.execute(
                "create table fault_attempt (run text, event_id text, process bigint, topic text, part int, sent_at bigint, at bigint)");
        jdbc.execute("create index on fault_effect (run)");
        jdbc.execute("create index on fault_attempt (run, process)");
    }

    public void attempt(Message message) throws InterruptedException {
        attemptAll(List.of(message));
    }

    public void attemptAll(@Body List<Message> records) throws InterruptedException {
        note(records);
        for (Message message : records) {
            Thread.sleep(event(message).payload().path("delayMs").asInt());
        }
    }

    @Transactional
    public void apply(@Body Event<JsonNode> event) {
        if (handled.markHandled(
                GROUP,
                event.metadata().tenant(),
                event.metadata().eventId(),
                event.payload().path("id").asText())) {
            jdbc.update(
                    "insert into fault_effect (run, topic, key, seq, event_id) values (?, ?, ?, ?, ?)",
                    event.payload().path("patientId").asText(),
                    event.topic(),
                    event.payload().path("id").asText(),
                    event.payload().path("seq").asInt(),
                    event.metadata().eventId());
        }
    }

    @Transactional
    public void applyAll(@Body List<Message> records) {
        records.forEach(message -> apply(event(message)));
    }

    private void note(List<Message> records) {
        long process = ProcessHandle.current().pid();
        long now = System.currentTimeMillis();
        jdbc.batchUpdate(
                "insert into fault_attempt (run, event_id, process, topic, part, sent_at, at) values (?, ?, ?, ?, ?, ?, ?)",
                records.stream()
                        .map(message -> {
                            Event<JsonNode> event = event(message);
                            return new Object[] {
                                event.payload().path("patientId").asText(),
                                event.metadata().eventId(),
                                process,
                                event.topic(),
                                message.getHeader(KafkaConstants.PARTITION),
                                message.getHeader(KafkaConstants.TIMESTAMP),
                                now
                            };
                        })
                        .toList());
    }

    @SuppressWarnings("unchecked")
    private static Event<JsonNode> event(Message message) {
        return message.getBody(Event.class);
    }
}
