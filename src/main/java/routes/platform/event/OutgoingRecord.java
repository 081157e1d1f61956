package routes.platform.event;

import java.nio.charset.StandardCharsets;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultMessage;

/** A record to send, as the message for a step {@code kafka:} or {@code outbox:}. */
public final class OutgoingRecord {

    private OutgoingRecord() {}

    /**
     * With the record headers that every record of the runtime has, and no others.
     *
     * @param value bytes, or what a following step makes bytes of
     */
    public static Message of(
            String key, Object value, String correlationId, String causationId, String tenant, Exchange exchange) {
        Message message = new DefaultMessage(exchange.getContext());
        message.setBody(value);
        message.setHeader(KafkaConstants.KEY, key.getBytes(StandardCharsets.UTF_8));
        message.setHeader(RecordHeaders.CORRELATION_ID, correlationId);
        message.setHeader(RecordHeaders.CAUSATION_ID, causationId);
        message.setHeader(RecordHeaders.TENANT, tenant);
        return message;
    }
}
