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
 * A step with steps in it that sees their failure before the error policy of the route does. Camel would ask that policy
 * inside: a failure that it handles, a dead letter for instance, would look like success.
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

    /** Runs the steps. A failure of theirs is on the exchange when they return. */
    abstract void process(Exchange exchange, Processor steps) throws Exception;
}
