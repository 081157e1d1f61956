package routes.platform.kafka;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.component.kafka.consumer.KafkaManualCommit;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.spi.RoutePolicyFactory;
import org.apache.camel.support.RoutePolicySupport;
import org.springframework.stereotype.Component;

/**
 * Commits the offset of a record when its route is done with it: handled, or resting in its dead-letter topic. A failed exchange
 * commits nothing, so the consumer reads the record again. That is the consumer's promise and no step of a flow, which is why it is
 * not in the YAML.
 */
@Component
class CommitWhenDone implements RoutePolicyFactory {

    @Override
    public RoutePolicy createRoutePolicy(CamelContext camelContext, String routeId, NamedNode route) {
        return new Policy();
    }

    private static final class Policy extends RoutePolicySupport {

        @Override
        public void onExchangeDone(Route route, Exchange exchange) {
            if (!(route.getEndpoint() instanceof KafkaEndpoint) || exchange.isFailed()) {
                return;
            }
            KafkaManualCommit commit = exchange.getProperty(KafkaConstants.MANUAL_COMMIT, KafkaManualCommit.class);
            if (commit != null) {
                commit.commit();
            }
        }

        @Override
        public void onExchangeBegin(Route route, Exchange exchange) {
            // steps of the route may replace the headers
            Object commit = exchange.getMessage().removeHeader(KafkaConstants.MANUAL_COMMIT);
            if (commit != null) {
                exchange.setProperty(KafkaConstants.MANUAL_COMMIT, commit);
            }
        }
    }
}
