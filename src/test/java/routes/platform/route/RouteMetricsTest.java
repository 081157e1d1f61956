package routes.platform.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

class RouteMetricsTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final RouteMetrics metrics = new RouteMetrics(meters);

    @Test
    void continuesItsCountsWhenARouteIsReplaced() {
        run(false);
        run(true);

        assertThat(meters.get("camel.exchanges.total")
                        .tag("routeId", "a")
                        .functionCounter()
                        .count())
                .isEqualTo(2);
        assertThat(meters.get("camel.exchanges.failed")
                        .tag("routeId", "a")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    /** Runs one exchange on a route, and removes the route. */
    private void run(boolean fails) {
        RoutePolicy policy = metrics.createRoutePolicy(null, "a", null);
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        policy.onExchangeBegin(null, exchange);
        if (fails) {
            exchange.setException(new IllegalStateException());
        }
        policy.onExchangeDone(null, exchange);
        policy.onRemove(null);
    }
}
