package routes.platform.error;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The record headers that a dead letter has beside those of its record, and those that a reprocessed record gains; all are text. */
public final class DeadLetterHeaders {

    public static final String ORIGINAL_TOPIC = "original-topic";
    public static final String ORIGINAL_PARTITION = "original-partition";
    public static final String ORIGINAL_OFFSET = "original-offset";
    public static final String ERROR_MESSAGE = "error-message";
    public static final String ERROR_STACK = "error-stack";
    public static final String TIMESTAMP = "timestamp";
    public static final String CONSUMER_GROUP = "consumer-group";
    public static final String DEAD_LETTER_ID = "dead-letter-id";

    /** {@code true} where the letter does not have the value of its record, since no dead letter could; it may be in the topic still. */
    public static final String VALUE_OMITTED = "value-omitted";

    /** Of a value that was left out: SHA-256 in hexadecimal, lower case; empty when it is null. */
    public static final String VALUE_SHA256 = "value-sha256";

    /** Of a value that was left out. */
    public static final String VALUE_BYTES = "value-bytes";

    /** Of a key that was left out as well: SHA-256 in hexadecimal, lower case. */
    public static final String KEY_SHA256 = "key-sha256";

    /** How many headers of the record were left out as well. */
    public static final String HEADERS_OMITTED = "headers-omitted";

    /** {@code true}. */
    public static final String REPROCESSED = "reprocessed";

    /** Why the record became a dead letter. */
    public static final String ORIGINAL_ERROR = "original-error";

    /** When it was sent again, epoch milliseconds; no two records of one topic and key have the same. */
    public static final String REPROCESS_TIMESTAMP = "reprocess-timestamp";

    /** Before the name of an original header that could be taken for one of the letter, or that Camel would act on. */
    public static final String PREFIX = "original-header-";

    /** What a dead letter has and its record has not. */
    private static final Set<String> OF_THE_LETTER = Set.of(
            ORIGINAL_TOPIC,
            ORIGINAL_PARTITION,
            ORIGINAL_OFFSET,
            ERROR_MESSAGE,
            ERROR_STACK,
            TIMESTAMP,
            CONSUMER_GROUP,
            DEAD_LETTER_ID,
            VALUE_OMITTED,
            VALUE_SHA256,
            VALUE_BYTES,
            KEY_SHA256,
            HEADERS_OMITTED);

    private DeadLetterHeaders() {}

    /** What a record sent again has and its letter need not have had. */
    public static Stream<String> ofAReprocessedRecord() {
        return Stream.of(REPROCESSED, ORIGINAL_ERROR, REPROCESS_TIMESTAMP);
    }

    /** What a dead letter has and its record has not. */
    public static Stream<String> ofTheLetter() {
        return OF_THE_LETTER.stream();
    }

    static boolean isOfTheLetter(String name) {
        return OF_THE_LETTER.contains(name);
    }

    /** The name that a header of a record has in its dead letter. */
    static String inLetter(String name) {
        return needsPrefix(name) ? PREFIX + name : name;
    }

    /** The name that a header of a dead letter has in its record; empty when it is the letter's own. */
    public static Optional<String> original(String inLetter) {
        if (isOfTheLetter(inLetter)) {
            return Optional.empty();
        }
        String name = inLetter.startsWith(PREFIX) ? inLetter.substring(PREFIX.length()) : inLetter;
        // a service that writes letters by hand may have a header that begins so
        return Optional.of(needsPrefix(name) ? name : inLetter);
    }

    private static boolean needsPrefix(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return isOfTheLetter(name)
                || name.startsWith(PREFIX)
                || lower.startsWith("camel")
                || lower.startsWith("kafka.")
                || lower.startsWith("org.apache.camel");
    }
}
