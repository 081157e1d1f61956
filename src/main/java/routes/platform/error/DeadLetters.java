package routes.platform.error;

import java.time.Clock;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import routes.platform.NameBasedUuid;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;

/** Makes a dead letter of a record that is poison: original key, bytes and headers, and why. */
@Component("deadLetters")
public class DeadLetters {

    /** The exchange property that holds the record, a {@link ConsumerRecord}, as it was read; a batch of several has none. */
    public static final String RECORD = "record";

    /** The exchange property that says how often the record has failed for a reason that nobody has classified, an Integer. */
    public static final String UNKNOWN_FAILURES = "unknownFailures";

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);

    private final AsyncApi contract;
    private final Failures failures;
    private final Clock clock = Clock.systemUTC();
    private final Map<String, Gate> gates = new ConcurrentHashMap<>();

    DeadLetters(AsyncApi contract, Failures failures) {
        this.contract = contract;
        this.failures = failures;
    }

    /** Whether it is not known which record is poison: then the consumer tries smaller batches, in the end each record alone. */
    public boolean isBatch(Exchange exchange) {
        return record(exchange) == null;
    }

    /** Whether this consumer group is the one that dead-letters records of the topic; all others skip what they cannot read. */
    public boolean isOwner(Exchange exchange) {
        return contract.channel(record(exchange).topic())
                .map(Channel::owningGroup)
                .filter(group(exchange)::equals)
                .isPresent();
    }

    /** Says in the log that a record was passed over by a group that does not own its topic. */
    public void skip(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        LOG.warn(
                "skipped: {} partition {} offset {}, group {}: {}",
                original.topic(),
                original.partition(),
                original.offset(),
                group(exchange),
                failures.describe(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)));
    }

    /**
     * Replaces the message by the record's dead letter, addressed to {@code <topic>.dlq}.
     *
     * @throws DeadLetterException when that topic has refused the last one and it is being tried already whether it still does
     */
    public void address(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        Throwable cause = failures.reason(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
        String topic = original.topic();
        String partition = String.valueOf(original.partition());
        String offset = String.valueOf(original.offset());
        String group = group(exchange);
        String id = NameBasedUuid.of(topic, partition, offset, group).toString();
        String target = AsyncApi.deadLetterTopic(topic);
        gates.computeIfAbsent(target, Gate::new).enter(exchange);

        RecordMessage letter = new RecordMessage(exchange.getContext());
        letter.setBody(original.value());
        for (Header header : original.headers()) {
            if (!isActedUpon(header.key())) {
                letter.addHeader(header.key(), header.value());
            }
        }
        letter.setHeader(DeadLetterHeaders.ORIGINAL_TOPIC, topic);
        letter.setHeader(DeadLetterHeaders.ORIGINAL_PARTITION, partition);
        letter.setHeader(DeadLetterHeaders.ORIGINAL_OFFSET, offset);
        letter.setHeader(DeadLetterHeaders.ERROR_MESSAGE, failures.describe(cause));
        letter.setHeader(DeadLetterHeaders.ERROR_STACK, failures.stack(cause));
        letter.setHeader(DeadLetterHeaders.TIMESTAMP, String.valueOf(clock.millis()));
        letter.setHeader(DeadLetterHeaders.CONSUMER_GROUP, group);
        letter.setHeader(DeadLetterHeaders.DEAD_LETTER_ID, id);
        letter.setHeader(KafkaConstants.KEY, original.key());
        letter.setHeader(KafkaConstants.OVERRIDE_TOPIC, target);
        exchange.setMessage(letter);
    }

    /** Says in the log that a dead letter rests in its topic. */
    public void written(Exchange exchange) {
        Message letter = exchange.getMessage();
        LOG.warn(
                "dead letter {}: {} partition {} offset {}, group {}: {}",
                letter.getHeader(DeadLetterHeaders.DEAD_LETTER_ID),
                letter.getHeader(DeadLetterHeaders.ORIGINAL_TOPIC),
                letter.getHeader(DeadLetterHeaders.ORIGINAL_PARTITION),
                letter.getHeader(DeadLetterHeaders.ORIGINAL_OFFSET),
                letter.getHeader(DeadLetterHeaders.CONSUMER_GROUP),
                letter.getHeader(DeadLetterHeaders.ERROR_MESSAGE));
    }

    /** Camel's own headers on the way out; a record that carries one keeps everything else. */
    private static boolean isActedUpon(String header) {
        String name = header.toLowerCase(Locale.ROOT);
        return name.startsWith("camel") || name.startsWith("kafka.") || name.startsWith("org.apache.camel");
    }

    private static ConsumerRecord<?, ?> record(Exchange exchange) {
        return exchange.getProperty(RECORD, ConsumerRecord.class);
    }

    private static String group(Exchange exchange) {
        return ((KafkaEndpoint) exchange.getFromEndpoint()).getConfiguration().getGroupId();
    }

    /**
     * The way to one dead-letter topic. A topic that is missing keeps its sender waiting; so that not every thread of a consumer
     * waits there, only one dead letter at a time tries a topic that has refused the last one.
     */
    private final class Gate {

        private final String topic;
        private String refusal;
        private Exchange trying;

        private Gate(String topic) {
            this.topic = topic;
        }

        synchronized void enter(Exchange exchange) {
            if (refusal != null) {
                if (trying != null) {
                    throw new DeadLetterException(topic, refusal);
                }
                trying = exchange;
            }
            exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
                @Override
                public void onComplete(Exchange written) {
                    leave(exchange, null);
                }

                @Override
                public void onFailure(Exchange failed) {
                    String why = failures.describe(failed.getException());
                    leave(exchange, why);
                    failed.setException(new DeadLetterException(topic, why));
                }
            });
        }

        private synchronized void leave(Exchange exchange, String why) {
            refusal = why;
            if (why == null || trying == exchange) {
                trying = null;
            }
        }
    }
}
