package routes.platform.error;

import java.util.Set;

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

    /** {@code true}. */
    public static final String REPROCESSED = "reprocessed";

    /** Why the record became a dead letter. */
    public static final String ORIGINAL_ERROR = "original-error";

    /** When it was sent again, epoch milliseconds; no two records of one topic and key have the same. */
    public static final String REPROCESS_TIMESTAMP = "reprocess-timestamp";

    /** Everything above: what a record does not have from its producer. */
    public static final Set<String> ALL = Set.of(
            ORIGINAL_TOPIC,
            ORIGINAL_PARTITION,
            ORIGINAL_OFFSET,
            ERROR_MESSAGE,
            ERROR_STACK,
            TIMESTAMP,
            CONSUMER_GROUP,
            DEAD_LETTER_ID,
            REPROCESSED,
            ORIGINAL_ERROR,
            REPROCESS_TIMESTAMP);

    private DeadLetterHeaders() {}
}
