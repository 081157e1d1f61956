package routes.deadletter;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import routes.platform.Sha256;
import routes.platform.error.DeadLetterHeaders;

/**
 * A dead letter, as {@link DeadLetterParser} reads it from its record.
 *
 * @param id from {@code dead-letter-id}, else {@code derivedId}
 * @param derivedId a hash of the position and value of the record
 * @param tenant from the envelope, else from the header, else {@code default}
 * @param originalTopic the topic that the dead-letter topic belongs to
 * @param originalPartition null when unknown, and when {@code original-topic} names another topic
 * @param originalOffset null like the partition
 * @param headers all headers of the record: name, value, name, value …; a value may be null
 * @param consumerGroup null when unknown
 * @param errorClass simple name of the class in the first line of the stack
 * @param failedAt epoch milliseconds
 * @param reprocessTimestamp of a record that was reprocessed and failed again
 */
record DeadLetter(
        String id,
        String derivedId,
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

    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /** Larger than any dead letter of this runtime. The database holds such a value in memory several times. */
    private static final long MAX_BYTES = 64L << 20;

    private static final int MAX_STORED_KEY = 16 * 1024;

    /** The digest that the tables hold: SHA-256, empty for null. */
    static byte[] digest(byte[] bytes) {
        return bytes == null ? new byte[0] : Sha256.of(bytes);
    }

    /** The digest of the original key, even when the dead letter lacks the key. */
    byte[] keyDigest() {
        return digestOfOmitted(DeadLetterHeaders.KEY_SHA256).orElseGet(() -> digest(key));
    }

    /** The digest of the original value, even when the dead letter lacks the value. */
    byte[] valueDigest() {
        return digestOfOmitted(DeadLetterHeaders.VALUE_SHA256).orElseGet(() -> digest(value));
    }

    private Optional<byte[]> digestOfOmitted(String name) {
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

    /** A copy that the database can always store: without value and original headers, with their digest and count. */
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
        boolean largeKey = key != null && key.length > MAX_STORED_KEY;
        if (largeKey) {
            add(kept, DeadLetterHeaders.KEY_SHA256, Sha256.hex(key));
        }
        return with(largeKey ? null : key, null, kept);
    }

    /** A copy without the headers that reprocessing has added. */
    DeadLetter withoutReprocessing() {
        List<byte[]> kept = new ArrayList<>(Arrays.asList(headers));
        DeadLetterHeaders.addedByReprocessing().forEach(name -> {
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

    private DeadLetter with(byte[] newKey, byte[] newValue, List<byte[]> newHeaders) {
        return with(tenant, newKey, newValue, newHeaders);
    }

    private DeadLetter with(String owner, byte[] newKey, byte[] newValue, List<byte[]> newHeaders) {
        return new DeadLetter(
                id,
                derivedId,
                owner,
                originalTopic,
                originalPartition,
                originalOffset,
                newKey,
                newValue,
                newHeaders.toArray(byte[][]::new),
                consumerGroup,
                errorClass,
                errorMessage,
                errorStack,
                failedAt,
                reprocessTimestamp);
    }

    /** Shortens a text and replaces the character that PostgreSQL cannot store. The headers keep the whole text. */
    static String cut(String text, int max) {
        String cut = text.length() <= max
                ? text
                : text.substring(0, Character.isHighSurrogate(text.charAt(max - 1)) ? max - 1 : max);
        return cut.replace('\0', '\uFFFD');
    }
}
