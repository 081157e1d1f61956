package routes.platform.outbox;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Reports the problems of the outbox that need an operator: no relay here, waiting topics, parked records. */
@Component("outboxHealthIndicator") // "outbox" is Camel's component
class OutboxHealth extends AbstractHealthIndicator {

    private static final int MAX_PARKED_SHOWN = 20;

    private final JdbcClient jdbc;
    private final OutboxRelay relay;

    OutboxHealth(JdbcClient jdbc, OutboxRelay relay) {
        super("the database does not answer");
        this.jdbc = jdbc;
        this.relay = relay;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        List<String> troubles = new ArrayList<>();
        relay.failure().ifPresent(reason -> troubles.add("no relay here: " + reason));
        waitingTopics().forEach((topic, reason) -> troubles.add("topic %s waits: %s".formatted(topic, reason)));
        troubles.addAll(
                jdbc.sql("select id, topic, failure from outbox where set_aside_at is not null order by id limit ?")
                        .param(MAX_PARKED_SHOWN)
                        .query((row, n) -> "record %d for %s is parked: %s"
                                .formatted(row.getLong("id"), row.getString("topic"), row.getString("failure")))
                        .list());
        builder.status(troubles.isEmpty() ? "UP" : "DOWN").withDetail("active", relay.isActive());
        if (!troubles.isEmpty()) {
            builder.withDetail("troubles", troubles);
        }
    }

    /** Leaves out topics whose last row an operator has dropped: the relay checks a topic only when it has a row. */
    private Map<String, String> waitingTopics() {
        Map<String, String> waiting = new TreeMap<>(relay.waitingTopics());
        waiting.keySet().removeIf(topic -> !jdbc.sql(
                        "select exists (select 1 from outbox where topic = ? and sent_at is null and set_aside_at is null)")
                .param(topic)
                .query(Boolean.class)
                .single());
        return waiting;
    }
}
