package routes.platform.state;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.spi.TransactedPolicy;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs the steps inside {@code transacted} in one transaction, on one thread. A failure rolls back first; then the
 * error policy of the route handles it. Camel's own policy handles it inside, so a dead letter would commit the steps
 * before.
 */
@Component
class TransactionPolicy extends BlockPolicy implements TransactedPolicy {

    private final TransactionTemplate transactions;

    TransactionPolicy(TransactionTemplate transactions) {
        this.transactions = transactions;
    }

    @Override
    void process(Exchange exchange, Processor steps) {
        exchange.getUnitOfWork().beginTransactedBy(this);
        try {
            transactions.executeWithoutResult(status -> {
                try {
                    steps.process(exchange);
                } catch (Exception e) {
                    exchange.setException(e);
                }
                if (exchange.isFailed() || exchange.isRollbackOnly() || exchange.isRollbackOnlyLast()) {
                    status.setRollbackOnly();
                }
            });
        } catch (RuntimeException e) {
            // begin or commit failed; an earlier failure is the cause
            if (exchange.getException() == null) {
                exchange.setException(e);
            }
        } finally {
            exchange.getUnitOfWork().endTransactedBy(this);
        }
    }
}
