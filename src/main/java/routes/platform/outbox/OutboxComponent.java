package routes.platform.outbox;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.serde.KafkaHeaderSerializer;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import routes.platform.Caller;
import routes.platform.event.RecordHeaders;

/**
 * Provides the step {@code outbox:<topic>}, which adds the message to the outbox in the transaction of
 * {@code transacted}. It takes key, body and headers like {@code kafka:<topic>}; of a list of messages it adds each.
 */
@Component("outbox-component") // Camel tries this name too
class OutboxComponent extends DefaultComponent {

    private static final List<String> MANDATORY_HEADERS =
            List.of(RecordHeaders.CORRELATION_ID, RecordHeaders.CAUSATION_ID, RecordHeaders.TENANT);

    private final Outbox outbox;
    private final HeaderFilterStrategy filter;
    private final KafkaHeaderSerializer serializer;

    OutboxComponent(
            Outbox outbox,
            @Qualifier("recordHeaderAllowList") HeaderFilterStrategy filter,
            KafkaHeaderSerializer serializer) {
        this.outbox = outbox;
        this.filter = filter;
        this.serializer = serializer;
    }

    @Override
    protected Endpoint createEndpoint(String uri, String topic, Map<String, Object> parameters) {
        return new DefaultEndpoint(uri, this) {
            @Override
            public Producer createProducer() {
                return new DefaultProducer(this) {
                    @Override
                    public void process(Exchange exchange) {
                        add(topic, exchange);
                    }
                };
            }

            @Override
            public Consumer createConsumer(Processor processor) {
                throw new UnsupportedOperationException("outbox:" + topic + " has no consumer: read kafka:" + topic);
            }
        };
    }

    private void add(String topic, Exchange exchange) {
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            throw new OutboxNeedsTransactionException(topic);
        }
        if (exchange.getMessage().getBody() instanceof List<?> messages) {
            outbox.addAll(messages.stream()
                    .map(message -> outboxRecord(topic, (Message) message, exchange))
                    .toList());
        } else {
            outbox.add(outboxRecord(topic, exchange.getMessage(), exchange));
        }
    }

    private OutboxRecord outboxRecord(String topic, Message message, Exchange exchange) {
        List<Header> headers = new ArrayList<>();
        message.getHeaders().forEach((name, value) -> {
            if (value != null && !filter.applyFilterToCamelHeaders(name, value, exchange)) {
                byte[] bytes = serializer.serialize(name, value);
                if (bytes != null) {
                    headers.add(new RecordHeader(name, bytes));
                }
            }
        });
        for (String name : MANDATORY_HEADERS) {
            if (headers.stream().noneMatch(header -> header.key().equals(name))) {
                headers.add(new RecordHeader(name, new byte[0]));
            }
        }
        String tenant = message.getHeader(RecordHeaders.TENANT, "", String.class);
        return new OutboxRecord(
                topic,
                bytes(topic, "the header " + KafkaConstants.KEY, message.getHeader(KafkaConstants.KEY)),
                bytes(topic, "the body", message.getBody()),
                headers,
                message.getHeader(Outbox.EVENT_ID, String.class),
                tenant.isEmpty() ? Caller.DEFAULT_TENANT : tenant);
    }

    private static byte[] bytes(String topic, String what, Object value) {
        if (value instanceof String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        if (value == null || value instanceof byte[]) {
            return (byte[]) value;
        }
        throw new IllegalArgumentException("outbox:%s: %s is a %s, not bytes or text: marshal it"
                .formatted(topic, what, value.getClass().getName()));
    }
}
