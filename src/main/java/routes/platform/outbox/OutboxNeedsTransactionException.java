package routes.platform.outbox;

import org.springframework.transaction.IllegalTransactionStateException;

/** Thrown for a mistake in the route, not in the message: the message waits. */
class OutboxNeedsTransactionException extends IllegalTransactionStateException {

    OutboxNeedsTransactionException(String topic) {
        super("outbox:" + topic
                + " is outside a transaction: its route needs the step transacted around all its steps");
    }
}
