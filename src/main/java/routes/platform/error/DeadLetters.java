package routes.platform.error;

import java.time.Clock;
import java.util.Locale;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import routes.platform.NameBasedUuid;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;

/** Makes a dead letter of a record that is poison: original key, bytes and headers, and why. */
@Component("deadLetters")
class DeadLetters {

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);

    private final AsyncApi contract;
    private final Failures failures;
    private final Clock clock = Clock.systemUTC();

    DeadLetters(AsyncApi contract, Failures failures) {
        this.contract = contract;
        this.failures = failures;
    }

    /** Whether this consumer group is the one that dead-letters records of the topic; all others skip what they cannot read. */
    public boolean isOwner(Exchange exchange) {
        String topic = exchange.getMessage().getHeader(KafkaConstants.TOPIC, String.class);
        return contract.channel(topic)
                .map(Channel::owningGroup)
                .filter(group(exchange)::equals)
                .isPresent();
    }

    /** Says in the log that a record was passed over by a group that does not own its topic. */
    public void skip(Exchange exchange) {
        Message original = exchange.getMessage();
        LOG.warn(
                "skipped: {} partition {} offset {}, group {}: {}",
                original.getHeader(KafkaConstants.TOPIC),
                original.getHeader(KafkaConstants.PARTITION),
                original.getHeader(KafkaConstants.OFFSET),
                group(exchange),
                failures.describe(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)));
    }

    /** Replaces the message, which must be the original one, by its dead letter, addressed to {@code <topic>.dlq}. */
    public void address(Exchange exchange) {
        Message original = exchange.getMessage();
        Throwable cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        String topic = original.getHeader(KafkaConstants.TOPIC, String.class);
        String partition = original.getHeader(KafkaConstants.PARTITION, String.class);
        String offset = original.getHeader(KafkaConstants.OFFSET, String.class);
        String group = group(exchange);
        String id = NameBasedUuid.of(topic, partition, offset, group).toString();

        RecordMessage letter = new RecordMessage(exchange.getContext());
        letter.setBody(original.getBody());
        Headers headers = original.getHeader(KafkaConstants.HEADERS, Headers.class);
        for (Header header : headers) {
            if (!isActedUpon(header.key())) {
                letter.addHeader(header.key(), header.value());
            }
        }
        letter.setHeader("original-topic", topic);
        letter.setHeader("original-partition", partition);
        letter.setHeader("original-offset", offset);
        letter.setHeader("error-message", failures.describe(cause));
        letter.setHeader("error-stack", failures.stack(cause));
        letter.setHeader("timestamp", String.valueOf(clock.millis()));
        letter.setHeader("consumer-group", group);
        letter.setHeader("dead-letter-id", id);
        letter.setHeader(KafkaConstants.KEY, original.getHeader(KafkaConstants.KEY));
        letter.setHeader(KafkaConstants.OVERRIDE_TOPIC, AsyncApi.deadLetterTopic(topic));
        exchange.setMessage(letter);
        LOG.warn(
                "dead letter {}: {} partition {} offset {}, group {}: {}",
                id,
                topic,
                partition,
                offset,
                group,
                failures.describe(cause));
    }

    /** Camel's own headers on the way out; a record that carries one keeps everything else. */
    private static boolean isActedUpon(String header) {
        String name = header.toLowerCase(Locale.ROOT);
        return name.startsWith("camel") || name.startsWith("kafka.") || name.startsWith("org.apache.camel");
    }

    private static String group(Exchange exchange) {
        return ((KafkaEndpoint) exchange.getFromEndpoint()).getConfiguration().getGroupId();
    }
}
