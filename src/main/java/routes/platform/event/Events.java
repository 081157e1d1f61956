package routes.platform.event;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Headers;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.springframework.stereotype.Component;
import routes.platform.Json;
import routes.platform.contract.AsyncApi;
import routes.platform.error.ProblemException;
import routes.platform.error.RecordInBatchException;
import routes.platform.error.SchemaViolationException;
import routes.platform.http.CorrelationId;

/** Reads events from records. The first step of every entry route. */
@Component("events")
public class Events {

    private final AsyncApi contract;

    public Events(AsyncApi contract) {
        this.contract = contract;
    }

    /**
     * Reads every record of a batch; in each message, the event takes the place of the value.
     *
     * @throws RecordInBatchException for the first that is not what the contract says
     */
    public List<Message> readAll(@Body List<Message> records, Exchange exchange) {
        if (records.size() == 1) {
            exchange.setProperty(CorrelationId.PROPERTY, records.get(0).getHeader(RecordHeaders.CORRELATION_ID));
        }
        for (int i = 0; i < records.size(); i++) {
            Message message = records.get(i);
            try {
                message.setBody(event(
                        message.getBody(byte[].class),
                        message.getHeader(KafkaConstants.TOPIC, String.class),
                        message.getHeaders()));
            } catch (ProblemException e) {
                throw new RecordInBatchException(i, e);
            }
        }
        return records;
    }

    /**
     * Decodes the value and checks it against the schema of its topic.
     *
     * @return the event, which becomes the body
     * @throws ProblemException when it is not what the contract says: poison
     */
    public Event read(
            @Body byte[] value,
            @Header(KafkaConstants.TOPIC) String topic,
            @Headers Map<String, Object> headers,
            Exchange exchange) {
        // before it is known whether the value can be read, so that poison is logged under the id that came with it
        exchange.setProperty(CorrelationId.PROPERTY, headers.get(RecordHeaders.CORRELATION_ID));
        Event event = event(value, topic, headers);
        exchange.setProperty(CorrelationId.PROPERTY, event.metadata().correlationId());
        return event;
    }

    private Event event(byte[] value, String topic, Map<String, Object> headers) {
        JsonNode node = Json.readObject(value);
        contract.channel(topic)
                .flatMap(channel -> channel.schema().firstError(node))
                .ifPresent(error -> {
                    throw new SchemaViolationException(error);
                });
        EventMetadata metadata = EventMetadata.of(node, headers);
        return new Event(topic, metadata, node.has("payload") ? node.path("payload") : node);
    }
}
