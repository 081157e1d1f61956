package routes.platform.error;

/**
 * A record cannot be read: its form, its schema or its metadata is wrong. No group can do anything with it, so the group that owns its
 * topic makes a dead letter of it, and all others skip it. The cause says why.
 */
public class UnreadableRecordException extends RuntimeException {

    public UnreadableRecordException(Throwable cause) {
        super(null, cause, false, false);
    }
}
