package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import routes.platform.Caller;
import routes.platform.NameBasedUuid;
import routes.platform.UuidText;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.RecordHeaders;

/**
 * A dead letter as its record has it. Other services write dead letters too, by hand: whatever is missing or malformed is made up from
 * what is there, and nothing is refused.
 *
 * @param id from {@code dead-letter-id}, else {@code ownId}
 * @param ownId follows from where the record rests and what is in it
 * @param originalTopic from {@code original-topic}, else the name of the dead-letter topic
 * @param originalPartition null when not known
 * @param originalOffset null when not known
 * @param headers all of the record, name, value, name, value …; a value may be null
 * @param consumerGroup null when not known
 * @param errorClass simple name of the class in the first line of the stack
 * @param failedAt epoch milliseconds
 * @param tenant as its consumers have it: from the envelope, else from the header, else {@code default}; one that is malformed is none
 * @param reprocessTimestamp of a record that was sent again and failed again
 */
record Letter(
        String id,
        String ownId,
        String tenant,
        String originalTopic,
        Integer originalPartition,
        Long originalOffset,
        byte[] key,
        byte[] value,
        byte[][] headers,
        String consumerGroup,
        String errorClass,
        String errorMessage,
        String errorStack,
        long failedAt,
        OptionalLong reprocessTimestamp) {

    static final String UNKNOWN = "Unknown";

    private static final int MAX_MESSAGE = 2000;
    private static final int MAX_STACK = 16_000;
    private static final long YEAR_10000 = 253_402_300_800_000L;

    /** What may stand in a path, and does not mean another operation. */
    private static final Pattern ID = Pattern.compile("(?!summary$)[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");

    private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{1,249}");

    /** {@code a.b.C}, {@code a.B$C: message}, {@code TypeError: message}, {@code TypeError [CODE]: message}. */
    private static final Pattern CLASS =
            Pattern.compile("(?:[\\w$]+\\.)*(?:\\w+\\$)*([A-Za-z_]\\w{0,127})(?:(?: \\[|:).*)?");

    private static final int MAX_LINE = 512;

    static Letter of(Message message, LetterValues values, Clock clock) {
        Headers headers = message.getHeader(KafkaConstants.HEADERS, Headers.class);
        String topic = message.getHeader(KafkaConstants.TOPIC, String.class);
        String partition = String.valueOf(message.getHeader(KafkaConstants.PARTITION));
        String offset = String.valueOf(message.getHeader(KafkaConstants.OFFSET));
        long written = message.getHeader(KafkaConstants.TIMESTAMP, -1L, Long.class);
        byte[] key = message.getHeader(KafkaConstants.KEY, byte[].class);
        byte[] value = message.getBody(byte[].class);
        String ownId = NameBasedUuid.of(
                        "dead letter",
                        topic,
                        partition,
                        offset,
                        String.valueOf(written),
                        HexFormat.of().formatHex(digest(value)))
                .toString();
        String stack = text(headers, DeadLetterHeaders.ERROR_STACK).orElse("");
        String originalTopic = text(headers, DeadLetterHeaders.ORIGINAL_TOPIC)
                .filter(name -> TOPIC.matcher(name).matches())
                .orElse(topic.replaceFirst("\\.dlq$", ""));
        return new Letter(
                text(headers, DeadLetterHeaders.DEAD_LETTER_ID)
                        .filter(id -> ID.matcher(id).matches())
                        .map(UuidText::normal)
                        .orElse(ownId),
                ownId,
                values.tenant(
                                value,
                                originalTopic,
                                text(headers, RecordHeaders.TENANT).flatMap(Envelope::plain))
                        .orElse(Caller.DEFAULT_TENANT),
                originalTopic,
                number(headers, DeadLetterHeaders.ORIGINAL_PARTITION, Integer.MAX_VALUE)
                        .map(Long::intValue)
                        .orElse(null),
                number(headers, DeadLetterHeaders.ORIGINAL_OFFSET, Long.MAX_VALUE)
                        .orElse(null),
                key,
                value,
                bytes(headers),
                text(headers, DeadLetterHeaders.CONSUMER_GROUP)
                        .flatMap(Envelope::plain)
                        .orElse(null),
                errorClass(stack),
                cut(text(headers, DeadLetterHeaders.ERROR_MESSAGE).orElse(""), MAX_MESSAGE),
                cut(stack, MAX_STACK),
                number(headers, DeadLetterHeaders.TIMESTAMP, YEAR_10000)
                        .orElse(written >= 0 ? written : clock.millis()),
                reprocessTimestamp(headers));
    }

    /** SHA-256, empty for null: as the tables have it. */
    static byte[] digest(byte[] bytes) {
        if (bytes == null) {
            return new byte[0];
        }
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static String errorClass(String stack) {
        Matcher line = CLASS.matcher(stack.substring(0, Math.min(stack.length(), MAX_LINE))
                .lines()
                .findFirst()
                .orElse(""));
        return line.matches() ? line.group(1) : UNKNOWN;
    }

    private static OptionalLong reprocessTimestamp(Headers headers) {
        if (text(headers, DeadLetterHeaders.REPROCESSED).filter("true"::equals).isEmpty()) {
            return OptionalLong.empty();
        }
        return number(headers, DeadLetterHeaders.REPROCESS_TIMESTAMP, Long.MAX_VALUE)
                .map(OptionalLong::of)
                .orElse(OptionalLong.empty());
    }

    private static Optional<Long> number(Headers headers, String name, long max) {
        return text(headers, name)
                .filter(text -> text.matches("\\d{1,18}"))
                .map(Long::parseLong)
                .filter(number -> number <= max);
    }

    /** Of several the last: what was added last. */
    private static Optional<String> text(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null || header.value() == null
                ? Optional.empty()
                : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
    }

    private static byte[][] bytes(Headers headers) {
        List<byte[]> bytes = new ArrayList<>();
        for (Header header : headers) {
            bytes.add(header.key().getBytes(StandardCharsets.UTF_8));
            bytes.add(header.value());
        }
        return bytes.toArray(byte[][]::new);
    }

    /** What PostgreSQL can hold; whole it stays among the headers. */
    private static String cut(String text, int max) {
        String cut = text.length() <= max
                ? text
                : text.substring(0, Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max);
        return cut.replace('\0', '\uFFFD');
    }
}
