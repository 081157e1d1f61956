package routes.platform.kafka;

import routes.platform.error.ProblemException;

/** The client cannot read on in a partition: a batch is damaged, does not fit into memory, or may not be read. */
class UnreadableException extends ProblemException {

    /** @param offset the first that cannot be read, or below 0 when no record was read before */
    UnreadableException(long offset, String why, Throwable cause) {
        super(
                503,
                "cannot be read %s: %s"
                        .formatted(offset < 0 ? "from its beginning on" : "from offset " + offset + " on", why));
        initCause(cause);
    }
}
