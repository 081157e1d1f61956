package routes.platform.error;

/**
 * Reports a record with an invalid form, schema or metadata, which no group can handle. The group that owns the topic
 * dead-letters it, and all others skip it. The cause is the reason.
 */
public class UnreadableRecordException extends RuntimeException {

    public UnreadableRecordException(Throwable cause) {
        super(null, cause, false, false);
    }
}
