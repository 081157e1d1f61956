package routes.platform.outbox;

import org.springframework.transaction.IllegalTransactionStateException;

/** A route that is wrong, not a message: the message waits. */
class OutboxNeedsTransactionException extends IllegalTransactionStateException {

    OutboxNeedsTransactionException(String topic) {
        super("outbox:" + topic
                + " is outside of a transaction: its route needs the step transacted around all its steps");
    }
}
