package routes.platform.outbox;

import org.springframework.transaction.IllegalTransactionStateException;

/** A route that is wrong, not a message: the message waits. */
class OutboxOutsideTransactedException extends IllegalTransactionStateException {

    OutboxOutsideTransactedException(String topic) {
        super("outbox:" + topic
                + " is outside of a transaction: its route needs the step transacted around all its steps");
    }
}
