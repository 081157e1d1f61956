package routes.pubsub;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;
import routes.platform.state.RetentionRule;

/** Logs the metadata of every event, never its payload, and lists it by correlation id. */
@Component("activityLog")
class ActivityLog {

    private final JdbcTemplate jdbc;

    ActivityLog(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    @Bean
    static RetentionRule activityRetention(@Value("${event-broker.retention.activity}") Duration keep) {
        return new RetentionRule("activity", "logged_at", keep);
    }

    /** Appends a batch in one transaction. A duplicate on the same topic changes nothing. */
    @Transactional
    public void append(@Body List<Message> records) {
        jdbc.batchUpdate(
                """
                insert into activity (tenant, topic, event_id, event_type, partition, "offset", event_timestamp,
                                      correlation_id, causation_id)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?)
                on conflict (tenant, topic, event_id) do nothing""",
                records.stream().map(ActivityLog::row).toList());
    }

    private static Object[] row(Message message) {
        Event<?> event = message.getBody(Event.class);
        EventMetadata metadata = event.metadata();
        return new Object[] {
            metadata.tenant(),
            event.topic(),
            metadata.eventId(),
            metadata.eventType(),
            message.getHeader(KafkaConstants.PARTITION),
            message.getHeader(KafkaConstants.OFFSET),
            metadata.timestamp(),
            metadata.correlationId(),
            metadata.causationId()
        };
    }

    /** Returns a page of the tenant's activity, newest first; all of it or one correlation id. */
    public List<Activity> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        List<Activity> activity = JdbcClient.create(jdbc)
                .sql(
                        """
                        select seq, event_id, event_type, topic, partition, "offset", event_timestamp as timestamp, causation_id
                        from activity
                        where tenant = :tenant and seq < :before and (:correlation::text is null or correlation_id = :correlation)
                        order by seq desc limit :rows""")
                .param("tenant", request.caller().tenant())
                .param("correlation", request.text("correlationId"))
                .param("before", page.before())
                .param("rows", page.rows())
                .query(Activity.class)
                .list();
        return page.cut(activity, Activity::seq, exchange);
    }

    record Activity(
            @JsonIgnore long seq,
            String eventId,
            String eventType,
            String topic,
            int partition,
            long offset,
            long timestamp,
            String causationId) {}
}
