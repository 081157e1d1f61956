package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
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
import routes.platform.Sha256;
import routes.platform.UuidText;
import routes.platform.contract.AsyncApi;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.event.RecordHeaders;

/**
 * A dead letter as its record has it. Other services write dead letters too, by hand: whatever is missing or malformed is made up from
 * what is there, and nothing is refused.
 *
 * @param id from {@code dead-letter-id}, else {@code ownId}
 * @param ownId follows from where the record rests and what is in it
 * @param originalTopic the topic whose dead-letter topic the letter rests in; what {@code original-topic} says can be no other
 * @param originalPartition null when not known, and where {@code original-topic} says another topic
 * @param originalOffset the same
 * @param headers all of the record, name, value, name, value …; a value may be null
 * @param consumerGroup null when not known
 * @param errorClass simple name of the class in the first line of the stack
 * @param failedAt epoch milliseconds
 * @param tenant as its consumers have it: from the envelope, else from the header, else {@code default}; one that is malformed is none
 * @param reprocessTimestamp of a record that was sent again and failed again
 */
record DeadLetter(
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

    /** {@code a.b.C}, {@code a.B$C: message}, {@code TypeError: message}, {@code TypeError [CODE]: message}. */
    private static final Pattern CLASS =
            Pattern.compile("(?:[\\w$]+\\.)*(?:\\w+\\$)*([A-Za-z_]\\w{0,127})(?:(?: \\[|:).*)?");

    private static final int MAX_LINE = 512;
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /** More than any dead letter of this runtime has; a database takes it in memory, as a whole, several times. */
    private static final long MAX_BYTES = 64L << 20;

    private static final int MAX_KEPT_KEY = 16 * 1024;

    static DeadLetter of(Message message, ValueCodec values, Clock clock) {
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
        String originalTopic = AsyncApi.originalTopic(topic);
        // whoever may write to one dead-letter topic may not so have a record sent to any other topic
        boolean believed = text(headers, DeadLetterHeaders.ORIGINAL_TOPIC)
                .map(originalTopic::equals)
                .orElse(true);
        return new DeadLetter(
                text(headers, DeadLetterHeaders.DEAD_LETTER_ID)
                        .filter(id -> ID.matcher(id).matches())
                        .map(UuidText::normal)
                        .orElse(ownId),
                ownId,
                values.tenant(
                                value,
                                originalTopic,
                                text(headers, RecordHeaders.TENANT).flatMap(EventIdentity::tenantOrEmpty))
                        .orElse(Caller.DEFAULT_TENANT),
                originalTopic,
                number(headers, DeadLetterHeaders.ORIGINAL_PARTITION, Integer.MAX_VALUE)
                        .filter(number -> believed)
                        .map(Long::intValue)
                        .orElse(null),
                number(headers, DeadLetterHeaders.ORIGINAL_OFFSET, Long.MAX_VALUE)
                        .filter(number -> believed)
                        .orElse(null),
                key,
                value,
                bytes(headers),
                text(headers, DeadLetterHeaders.CONSUMER_GROUP)
                        .flatMap(EventIdentity::idOrEmpty)
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
        return bytes == null ? new byte[0] : Sha256.of(bytes);
    }

    /** Of the record's key, also when the letter was written without it. */
    byte[] keyDigest() {
        return omitted(DeadLetterHeaders.KEY_SHA256).orElseGet(() -> digest(key));
    }

    /** Of the record's value, also when the letter was written without it. */
    byte[] valueDigest() {
        return omitted(DeadLetterHeaders.VALUE_SHA256).orElseGet(() -> digest(value));
    }

    private Optional<byte[]> omitted(String name) {
        return lastHeader(DeadLetterHeaders.VALUE_OMITTED)
                .filter("true"::equals)
                .flatMap(omitted -> lastHeader(name))
                .filter(hex -> SHA256.matcher(hex).matches())
                .map(HexFormat.of()::parseHex);
    }

    private Optional<String> lastHeader(String name) {
        for (int i = headers.length - 2; i >= 0; i -= 2) {
            if (Arrays.equals(headers[i], name.getBytes(StandardCharsets.UTF_8))) {
                return Optional.ofNullable(headers[i + 1]).map(text -> new String(text, StandardCharsets.UTF_8));
            }
        }
        return Optional.empty();
    }

    boolean isTooLarge() {
        long bytes = (key == null ? 0 : key.length) + (value == null ? 0 : value.length);
        for (byte[] header : headers) {
            bytes += header == null ? 0 : header.length;
        }
        return bytes > MAX_BYTES;
    }

    /** What is kept when the whole cannot be: whose it is and why, and by what its value is known. */
    DeadLetter withoutValue() {
        List<byte[]> kept = new ArrayList<>();
        for (int i = 0; i < headers.length; i += 2) {
            if (DeadLetterHeaders.original(new String(headers[i], StandardCharsets.UTF_8))
                    .isEmpty()) {
                kept.add(headers[i]);
                kept.add(headers[i + 1]);
            }
        }
        int omitted = (headers.length - kept.size()) / 2;
        if (value != null) {
            add(kept, DeadLetterHeaders.VALUE_OMITTED, "true");
            add(kept, DeadLetterHeaders.VALUE_SHA256, Sha256.hex(value));
            add(kept, DeadLetterHeaders.VALUE_BYTES, String.valueOf(value.length));
        }
        if (omitted > 0) {
            add(kept, DeadLetterHeaders.HEADERS_OMITTED, String.valueOf(omitted));
        }
        boolean largeKey = key != null && key.length > MAX_KEPT_KEY;
        if (largeKey) {
            add(kept, DeadLetterHeaders.KEY_SHA256, Sha256.hex(key));
        }
        return with(largeKey ? null : key, null, kept);
    }

    /** As the record was before it was sent again, by whichever letter. */
    DeadLetter withoutReprocessing() {
        List<byte[]> kept = new ArrayList<>(Arrays.asList(headers));
        DeadLetterHeaders.ofAReprocessedRecord().forEach(name -> {
            for (int i = kept.size() - 2; i >= 0; i -= 2) {
                if (Arrays.equals(kept.get(i), name.getBytes(StandardCharsets.UTF_8))) {
                    kept.subList(i, i + 2).clear();
                    return;
                }
            }
        });
        return with(key, value, kept);
    }

    private static void add(List<byte[]> headers, String name, String text) {
        headers.add(name.getBytes(StandardCharsets.UTF_8));
        headers.add(text.getBytes(StandardCharsets.UTF_8));
    }

    DeadLetter ofTenant(String owner) {
        return with(owner, key, value, List.of(headers));
    }

    private DeadLetter with(byte[] otherKey, byte[] otherValue, List<byte[]> otherHeaders) {
        return with(tenant, otherKey, otherValue, otherHeaders);
    }

    private DeadLetter with(String owner, byte[] otherKey, byte[] otherValue, List<byte[]> otherHeaders) {
        return new DeadLetter(
                id,
                ownId,
                owner,
                originalTopic,
                originalPartition,
                originalOffset,
                otherKey,
                otherValue,
                otherHeaders.toArray(byte[][]::new),
                consumerGroup,
                errorClass,
                errorMessage,
                errorStack,
                failedAt,
                reprocessTimestamp);
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
    static String cut(String text, int max) {
        String cut = text.length() <= max
                ? text
                : text.substring(0, Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max);
        return cut.replace('\0', '\uFFFD');
    }
}
