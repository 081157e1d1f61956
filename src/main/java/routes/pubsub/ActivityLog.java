package routes.pubsub;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.component.kafka.KafkaConstants;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;
import routes.platform.state.RetentionRule;

/** The metadata of every event, never its payload: what a correlation id went through. */
@Component("activityLog")
class ActivityLog {

    private final JdbcClient jdbc;

    ActivityLog(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Bean
    static RetentionRule activityRetention(@Value("${event-broker.retention.activity}") Duration keep) {
        return new RetentionRule("activity", "logged_at", keep);
    }

    /** Notes an event by its first record on its topic; a repeat of the event changes nothing. */
    public void note(
            @Body Event event,
            @Header(KafkaConstants.PARTITION) int partition,
            @Header(KafkaConstants.OFFSET) long offset) {
        EventMetadata metadata = event.metadata();
        jdbc.sql(
                        """
                        insert into activity (tenant, topic, event_id, event_type, partition, "offset", event_timestamp,
                                              correlation_id, causation_id)
                        values (?, ?, ?, ?, ?, ?, ?, ?, ?)
                        on conflict (tenant, topic, event_id) do nothing""")
                .params(
                        metadata.tenant(),
                        event.topic(),
                        metadata.eventId(),
                        metadata.eventType(),
                        partition,
                        offset,
                        metadata.timestamp(),
                        metadata.correlationId(),
                        metadata.causationId())
                .update();
    }

    /** The activity of the caller's tenant, of one correlation id or all of it, newest first. */
    public List<Activity> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        List<Activity> activity = jdbc.sql(
                        """
                        select seq, event_id, event_type, topic, partition, "offset", event_timestamp as timestamp, causation_id
                        from activity
                        where tenant = :tenant and seq < :before and (:correlation::text is null or correlation_id = :correlation)
                        order by seq desc limit :rows""")
                .param("tenant", request.caller().tenant())
                .param("correlation", request.parameter("correlationId"))
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
