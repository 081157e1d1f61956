package routes.deadletter;

import java.nio.charset.StandardCharsets;
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
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.NameBasedUuid;
import routes.platform.UuidText;
import routes.platform.contract.AsyncApi;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.RecordHeaders;

/**
 * Parses a record of a dead-letter topic. Other services write dead letters by hand, so every record is accepted:
 * defaults replace missing and malformed headers.
 */
@Component
class DeadLetterParser {

    static final String UNKNOWN = "Unknown";

    private static final int MAX_MESSAGE = 2000;
    private static final int MAX_STACK = 16_000;
    private static final int MAX_LINE = 512;
    private static final long YEAR_10000 = 253_402_300_800_000L;

    /** An id that fits into a path and is not the name of an operation. */
    private static final Pattern ID = Pattern.compile("(?!summary$)[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");

    /** {@code a.b.C}, {@code a.B$C: message}, {@code TypeError: message}, {@code TypeError [CODE]: message}. */
    private static final Pattern CLASS =
            Pattern.compile("(?:[\\w$]+\\.)*(?:\\w+\\$)*([A-Za-z_]\\w{0,127})(?:(?: \\[|:).*)?");

    private final ValueCodec values;
    private final Clock clock = Clock.systemUTC();

    DeadLetterParser(ValueCodec values) {
        this.values = values;
    }

    DeadLetter parse(Message message) {
        Headers headers = message.getHeader(KafkaConstants.HEADERS, Headers.class);
        String topic = message.getHeader(KafkaConstants.TOPIC, String.class);
        long written = message.getHeader(KafkaConstants.TIMESTAMP, -1L, Long.class);
        byte[] value = message.getBody(byte[].class);
        String derivedId = derivedId(message, topic, written, value);
        String stack = text(headers, DeadLetterHeaders.ERROR_STACK).orElse("");
        String originalTopic = AsyncApi.originalTopic(topic);
        // writers of one dead-letter topic must not make the runtime send to another topic
        boolean trusted = text(headers, DeadLetterHeaders.ORIGINAL_TOPIC)
                .map(originalTopic::equals)
                .orElse(true);
        return new DeadLetter(
                text(headers, DeadLetterHeaders.DEAD_LETTER_ID)
                        .filter(id -> ID.matcher(id).matches())
                        .map(UuidText::normal)
                        .orElse(derivedId),
                derivedId,
                tenant(value, originalTopic, headers),
                originalTopic,
                number(headers, DeadLetterHeaders.ORIGINAL_PARTITION, Integer.MAX_VALUE)
                        .filter(number -> trusted)
                        .map(Long::intValue)
                        .orElse(null),
                number(headers, DeadLetterHeaders.ORIGINAL_OFFSET, Long.MAX_VALUE)
                        .filter(number -> trusted)
                        .orElse(null),
                message.getHeader(KafkaConstants.KEY, byte[].class),
                value,
                bytes(headers),
                text(headers, DeadLetterHeaders.CONSUMER_GROUP)
                        .flatMap(EventIdentity::idOrEmpty)
                        .orElse(null),
                errorClass(stack),
                DeadLetter.cut(text(headers, DeadLetterHeaders.ERROR_MESSAGE).orElse(""), MAX_MESSAGE),
                DeadLetter.cut(stack, MAX_STACK),
                number(headers, DeadLetterHeaders.TIMESTAMP, YEAR_10000)
                        .orElse(written >= 0 ? written : clock.millis()),
                reprocessTimestamp(headers));
    }

    private static String derivedId(Message message, String topic, long written, byte[] value) {
        return NameBasedUuid.of(
                        "dead letter",
                        topic,
                        String.valueOf(message.getHeader(KafkaConstants.PARTITION)),
                        String.valueOf(message.getHeader(KafkaConstants.OFFSET)),
                        String.valueOf(written),
                        HexFormat.of().formatHex(DeadLetter.digest(value)))
                .toString();
    }

    private String tenant(byte[] value, String originalTopic, Headers headers) {
        Optional<String> header = text(headers, RecordHeaders.TENANT).flatMap(EventIdentity::tenantOrEmpty);
        return values.tenant(value, originalTopic, header).orElse(Caller.DEFAULT_TENANT);
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

    /** The last header of the name, because it was added last. */
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
}
