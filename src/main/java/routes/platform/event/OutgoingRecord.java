package routes.platform.event;

import java.nio.charset.StandardCharsets;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultMessage;

/** Makes the message of a record for a step {@code kafka:} or {@code outbox:}. */
public final class OutgoingRecord {

    private OutgoingRecord() {}

    /**
     * Makes a message with the record headers of every record of the runtime, and no others.
     *
     * @param value bytes, or an object that a later step marshals
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
