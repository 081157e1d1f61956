package routes.platform.projection;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import routes.platform.PlainText;
import routes.platform.StrictUtf8;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.error.ProblemException;
import routes.platform.event.Event;

/**
 * An event with its position in the log.
 *
 * @param key of the record, at most 256 characters
 * @param reprocessed whether the event is a reprocessed dead letter; its position then tells nothing about its order
 */
public record PositionedEvent(String key, Event<?> event, int partition, long offset, boolean reprocessed) {

    /**
     * @param message of a batch, with the event as its body
     * @throws ProblemException when the key cannot identify a row of a view: poison
     */
    static PositionedEvent of(Message message) {
        return of(
                message.getHeader(KafkaConstants.KEY, byte[].class),
                message.getBody(Event.class),
                message.getHeader(KafkaConstants.PARTITION, Integer.class),
                message.getHeader(KafkaConstants.OFFSET, Long.class),
                message.getHeader(KafkaConstants.HEADERS, Headers.class));
    }

    static PositionedEvent of(ConsumerRecord<byte[], byte[]> message, Event<?> event) {
        return of(message.key(), event, message.partition(), message.offset(), message.headers());
    }

    private static PositionedEvent of(byte[] key, Event<?> event, int partition, long offset, Headers headers) {
        Header reprocessed = headers == null ? null : headers.lastHeader(DeadLetterHeaders.REPROCESSED);
        return new PositionedEvent(
                text(key),
                event,
                partition,
                offset,
                reprocessed != null
                        && reprocessed.value() != null
                        && new String(reprocessed.value(), StandardCharsets.UTF_8).equals("true"));
    }

    /** @throws ProblemException when an index or a path cannot hold the key */
    static String text(byte[] key) {
        if (key == null || key.length == 0) {
            throw new ProblemException(400, "the record has no key");
        }
        try {
            String text = StrictUtf8.decode(key);
            if (!PlainText.isValid(text)) {
                throw new ProblemException(
                        400,
                        "the record key is longer than " + PlainText.MAX_LENGTH
                                + " characters, or has control characters");
            }
            if (text.equals(".") || text.equals("..")) {
                throw new ProblemException(400, "the record key is . or .., which no path can name");
            }
            return text;
        } catch (CharacterCodingException e) {
            throw new ProblemException(400, "the record key is not UTF-8");
        }
    }
}
