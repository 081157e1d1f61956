package routes.platform.kafka;

import routes.platform.error.ProblemException;

/**
 * Reports that the client cannot read a partition: a batch is damaged or too large for the heap, or a right is missing.
 */
class UnreadablePartitionException extends ProblemException {

    /** @param offset the first unreadable offset; negative when the client has read nothing before */
    UnreadablePartitionException(long offset, String why, Throwable cause) {
        super(503, "cannot be read from %s: %s".formatted(offset < 0 ? "its beginning" : "offset " + offset, why));
        initCause(cause);
    }
}
