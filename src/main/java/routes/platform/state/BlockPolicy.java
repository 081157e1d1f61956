package routes.platform.state;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.ErrorHandlerFactory;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.model.errorhandler.NoErrorHandlerDefinition;
import org.apache.camel.spi.Policy;

/**
 * A step with steps in it that sees their failure before the error policy of the route does. Otherwise Camel would run
 * the policy inside the step, and a failure that the policy handles, as with a dead letter, would look like success.
 */
abstract class BlockPolicy implements Policy {

    private final Map<Route, ErrorHandlerFactory> outside = new ConcurrentHashMap<>();

    @Override
    public final void beforeWrap(Route route, NamedNode definition) {
        outside.put(route, route.getErrorHandlerFactory());
        route.setErrorHandlerFactory(new NoErrorHandlerDefinition());
    }

    @Override
    public final Processor wrap(Route route, Processor steps) {
        route.setErrorHandlerFactory(outside.remove(route));
        return exchange -> process(exchange, steps);
    }

    /** Runs the steps. If one of them fails, the failure is on the exchange when this returns. */
    abstract void process(Exchange exchange, Processor steps) throws Exception;
}
