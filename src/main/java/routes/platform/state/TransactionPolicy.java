package routes.platform.state;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.ErrorHandlerFactory;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.model.errorhandler.NoErrorHandlerDefinition;
import org.apache.camel.spi.TransactedPolicy;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The step {@code transacted}: the steps in it are one transaction, on one thread. When one fails, nothing of them stays, and only then the
 * error policy of the route sees the failure. Camel's own policy asks it inside: a failure that it handles, a dead letter for instance,
 * would commit what was done before.
 */
@Component
class TransactionPolicy implements TransactedPolicy {

    private final TransactionTemplate transactions;
    private final Map<Route, ErrorHandlerFactory> outside = new ConcurrentHashMap<>();

    TransactionPolicy(TransactionTemplate transactions) {
        this.transactions = transactions;
    }

    @Override
    public void beforeWrap(Route route, NamedNode definition) {
        outside.put(route, route.getErrorHandlerFactory());
        route.setErrorHandlerFactory(new NoErrorHandlerDefinition());
    }

    @Override
    public Processor wrap(Route route, Processor steps) {
        route.setErrorHandlerFactory(outside.remove(route));
        return exchange -> process(exchange, steps);
    }

    private void process(Exchange exchange, Processor steps) {
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
            // not begun, or not committed; what failed before that says more
            if (exchange.getException() == null) {
                exchange.setException(e);
            }
        } finally {
            exchange.getUnitOfWork().endTransactedBy(this);
        }
    }
}
