package routes.platform.error;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Names the headers that a dead letter adds to those of its record, and those that reprocessing adds. All are text. */
public final class DeadLetterHeaders {

    public static final String ORIGINAL_TOPIC = "original-topic";
    public static final String ORIGINAL_PARTITION = "original-partition";
    public static final String ORIGINAL_OFFSET = "original-offset";
    public static final String ERROR_MESSAGE = "error-message";
    public static final String ERROR_STACK = "error-stack";
    public static final String TIMESTAMP = "timestamp";
    public static final String CONSUMER_GROUP = "consumer-group";
    public static final String DEAD_LETTER_ID = "dead-letter-id";

    /**
     * {@code true} when the dead letter lacks the value, because no dead letter could hold it. The topic may still have
     * it.
     */
    public static final String VALUE_OMITTED = "value-omitted";

    /** The SHA-256 of an omitted value in hexadecimal, lower case; empty for a null value. */
    public static final String VALUE_SHA256 = "value-sha256";

    /** The size of an omitted value. */
    public static final String VALUE_BYTES = "value-bytes";

    /** The SHA-256 of an omitted key in hexadecimal, lower case. */
    public static final String KEY_SHA256 = "key-sha256";

    /** The number of omitted headers. */
    public static final String HEADERS_OMITTED = "headers-omitted";

    /** {@code true} on a reprocessed record. */
    public static final String REPROCESSED = "reprocessed";

    /** Why the record became a dead letter. */
    public static final String ORIGINAL_ERROR = "original-error";

    /** The time of reprocessing in epoch milliseconds, unique within a topic and key. */
    public static final String REPROCESS_TIMESTAMP = "reprocess-timestamp";

    /** Prefixes an original header that has the name of a dead-letter header, or that Camel would act on. */
    public static final String PREFIX = "original-header-";

    /** Headers that a dead letter adds to those of its record. */
    private static final Set<String> DEAD_LETTER_ONLY = Set.of(
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

    /** Returns the headers that reprocessing adds to a record. */
    public static Stream<String> addedByReprocessing() {
        return Stream.of(REPROCESSED, ORIGINAL_ERROR, REPROCESS_TIMESTAMP);
    }

    /** Returns the headers that a dead letter adds to those of its record. */
    public static Stream<String> deadLetterOnly() {
        return DEAD_LETTER_ONLY.stream();
    }

    static boolean isDeadLetterOnly(String name) {
        return DEAD_LETTER_ONLY.contains(name);
    }

    /** Returns the name of a record header in the dead letter. */
    static String inDeadLetter(String name) {
        return needsPrefix(name) ? PREFIX + name : name;
    }

    /** Returns the name of a dead-letter header in the record; empty when only the dead letter has it. */
    public static Optional<String> original(String inDeadLetter) {
        if (isDeadLetterOnly(inDeadLetter)) {
            return Optional.empty();
        }
        String name = inDeadLetter.startsWith(PREFIX) ? inDeadLetter.substring(PREFIX.length()) : inDeadLetter;
        // another service may write dead letters, with a header of this prefix
        return Optional.of(needsPrefix(name) ? name : inDeadLetter);
    }

    private static boolean needsPrefix(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return isDeadLetterOnly(name)
                || name.startsWith(PREFIX)
                || lower.startsWith("camel")
                || lower.startsWith("kafka.")
                || lower.startsWith("org.apache.camel");
    }
}
