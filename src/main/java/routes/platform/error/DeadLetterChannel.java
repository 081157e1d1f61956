package routes.platform.error;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;
import routes.platform.NameBasedUuid;
import routes.platform.Sha256;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;

/** Makes the dead letter of a record that a group cannot handle: original key, bytes and headers, and the reason. */
@Component("deadLetterChannel")
public class DeadLetterChannel {

    /** The exchange property with the {@link ConsumerRecord}; a batch of several records has none. */
    public static final String RECORD = "record";

    /** The exchange property with the number of unclassified failures of the record, an Integer. */
    public static final String UNKNOWN_FAILURES = "unknownFailures";

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterChannel.class);

    private static final int MAX_MESSAGE_CHARS = 2000;

    /**
     * The largest key in a dead letter without its value. With the header limit it keeps the dead letter below the size
     * that a dead-letter topic accepts beyond the largest record of its topic.
     */
    private static final int MAX_KEY_BYTES = 16 * 1024;

    /** A generous limit for the bytes of a header besides its name and value. */
    private static final int HEADER_OVERHEAD = 10;

    private static final int MAX_HEADER_BYTES = 24 * 1024;

    private final AsyncApi contract;
    private final FailureClassifier failures;
    private final Clock clock = Clock.systemUTC();
    private final Map<String, Gate> gates = new ConcurrentHashMap<>();

    public DeadLetterChannel(AsyncApi contract, FailureClassifier failures) {
        this.contract = contract;
        this.failures = failures;
    }

    /**
     * Returns whether any record of a batch may have caused the failure. The consumer then narrows the batch down to
     * that record.
     */
    public boolean isBatch(Exchange exchange) {
        return record(exchange) == null;
    }

    /**
     * Returns whether this group makes no dead letter of a record. Only the group that owns the topic dead-letters an
     * unreadable record. A record of a dead-letter topic is already there.
     */
    public boolean isSkipped(Exchange exchange) {
        String topic = record(exchange).topic();
        return AsyncApi.isDeadLetterTopic(topic)
                || failures.isUnreadable(caught(exchange)) && !isOwner(topic, group(exchange));
    }

    private boolean isOwner(String topic, String group) {
        return contract.channel(topic)
                .map(Channel::owningGroup)
                .filter(group::equals)
                .isPresent();
    }

    /** Logs that the group skips a record. */
    public void logSkipped(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        LOG.warn(
                "skipped: {} partition {} offset {}, group {}: {}",
                original.topic(),
                original.partition(),
                original.offset(),
                group(exchange),
                failures.describe(caught(exchange)));
    }

    /**
     * Replaces the message by the record's dead letter, addressed to {@code <topic>.dlq}.
     *
     * @throws DeadLetterException when that topic has refused the last one, and another record already tries it again
     */
    public void createDeadLetter(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        gates.computeIfAbsent(AsyncApi.deadLetterTopic(original.topic()), Gate::new)
                .enter(exchange);
        List<Header> headers = new ArrayList<>();
        for (Header header : original.headers()) {
            headers.add(new RecordHeader(DeadLetterHeaders.inDeadLetter(header.key()), header.value()));
        }
        headers.addAll(reasonHeaders(exchange, failures.reason(caught(exchange))));
        exchange.setMessage(deadLetter(exchange, original.key(), original.value(), headers));
    }

    /**
     * Returns whether a dead letter without the value would be much smaller. Otherwise the topic accepts less than the
     * contract promises, and the record is held until it accepts the whole dead letter.
     */
    public boolean isLarge(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        long bytes = length((byte[]) original.key()) + length((byte[]) original.value());
        for (Header header : original.headers()) {
            bytes += size(DeadLetterHeaders.inDeadLetter(header.key()), header);
        }
        return bytes > MAX_KEY_BYTES + MAX_HEADER_BYTES;
    }

    private static long size(String name, Header header) {
        return HEADER_OVERHEAD + name.length() * 3L + length(header.value());
    }

    private static long length(byte[] bytes) {
        return bytes == null ? 0 : bytes.length;
    }

    /**
     * Removes the value, and a large key or large headers, from a dead letter that its topic refuses as too large.
     * Headers have the position of the record, to read these parts, and their hashes, to compare them.
     */
    public void omitValue(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        byte[] key = (byte[]) original.key();
        byte[] value = (byte[]) original.value();
        List<Header> headers = new ArrayList<>();
        long headerBytes = 0;
        int count = 0;
        for (Header header : original.headers()) {
            String name = DeadLetterHeaders.inDeadLetter(header.key());
            headerBytes += size(name, header);
            count++;
            if (headerBytes <= MAX_HEADER_BYTES) {
                headers.add(new RecordHeader(name, header.value()));
            }
        }
        boolean largeHeaders = headerBytes > MAX_HEADER_BYTES;
        if (largeHeaders) {
            headers.clear();
        }
        ((RecordMessage) exchange.getMessage())
                .recordHeaders().stream()
                        .filter(header -> DeadLetterHeaders.isDeadLetterOnly(header.key()))
                        .forEach(headers::add);
        headers.add(text(DeadLetterHeaders.VALUE_OMITTED, "true"));
        headers.add(text(DeadLetterHeaders.VALUE_SHA256, value == null ? "" : Sha256.hex(value)));
        headers.add(text(DeadLetterHeaders.VALUE_BYTES, String.valueOf(length(value))));
        if (largeHeaders) {
            headers.add(text(DeadLetterHeaders.HEADERS_OMITTED, String.valueOf(count)));
        }
        boolean largeKey = key != null && key.length > MAX_KEY_BYTES;
        if (largeKey) {
            headers.add(text(DeadLetterHeaders.KEY_SHA256, Sha256.hex(key)));
        }
        exchange.setMessage(deadLetter(exchange, largeKey ? null : key, null, headers));
    }

    /** Logs that a dead letter is written to its topic. */
    public void logWritten(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        Headers letter = new RecordHeaders(((RecordMessage) exchange.getMessage()).recordHeaders());
        LOG.warn(
                "dead letter {}: {} partition {} offset {}, group {}: {}{}",
                id(exchange),
                original.topic(),
                original.partition(),
                original.offset(),
                group(exchange),
                new String(letter.lastHeader(DeadLetterHeaders.ERROR_MESSAGE).value(), StandardCharsets.UTF_8),
                letter.lastHeader(DeadLetterHeaders.VALUE_OMITTED) == null ? "" : " (without its value)");
    }

    static String position(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        return original.topic() + "-" + original.partition() + "@" + original.offset();
    }

    /** Returns the id of this group's dead letter of the record: each time the same. */
    private static String id(Exchange exchange) {
        ConsumerRecord<?, ?> original = record(exchange);
        return NameBasedUuid.of(
                        original.topic(),
                        String.valueOf(original.partition()),
                        String.valueOf(original.offset()),
                        group(exchange))
                .toString();
    }

    private List<Header> reasonHeaders(Exchange exchange, Throwable cause) {
        ConsumerRecord<?, ?> original = record(exchange);
        String message = failures.describe(cause);
        return List.of(
                text(DeadLetterHeaders.ORIGINAL_TOPIC, original.topic()),
                text(DeadLetterHeaders.ORIGINAL_PARTITION, String.valueOf(original.partition())),
                text(DeadLetterHeaders.ORIGINAL_OFFSET, String.valueOf(original.offset())),
                text(
                        DeadLetterHeaders.ERROR_MESSAGE,
                        message.substring(0, Math.min(message.length(), MAX_MESSAGE_CHARS))),
                text(DeadLetterHeaders.ERROR_STACK, failures.stack(cause)),
                text(DeadLetterHeaders.TIMESTAMP, String.valueOf(clock.millis())),
                text(DeadLetterHeaders.CONSUMER_GROUP, group(exchange)),
                text(DeadLetterHeaders.DEAD_LETTER_ID, id(exchange)));
    }

    private static RecordMessage deadLetter(Exchange exchange, Object key, Object value, List<Header> headers) {
        RecordMessage letter = new RecordMessage(exchange.getContext(), headers);
        letter.setBody(value);
        letter.setHeader(KafkaConstants.KEY, key);
        letter.setHeader(
                KafkaConstants.OVERRIDE_TOPIC,
                AsyncApi.deadLetterTopic(record(exchange).topic()));
        return letter;
    }

    private static Header text(String name, String text) {
        return new RecordHeader(name, text.getBytes(StandardCharsets.UTF_8));
    }

    private static Throwable caught(Exchange exchange) {
        return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    }

    private static ConsumerRecord<?, ?> record(Exchange exchange) {
        return exchange.getProperty(RECORD, ConsumerRecord.class);
    }

    private static String group(Exchange exchange) {
        return ((KafkaEndpoint) exchange.getFromEndpoint()).getConfiguration().getGroupId();
    }

    /**
     * Guards a dead-letter topic. A missing topic keeps its sender waiting. So only one dead letter at a time tries a
     * topic that has refused the last one, and not every thread of a consumer waits.
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
