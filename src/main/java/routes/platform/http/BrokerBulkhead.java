package routes.platform.http;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/**
 * Of the requests that may wait, lets some wait for the broker, so that bodies arrive and streams go on while it is away. One for all patterns: a
 * bulkhead of each would share out the places until none is left. Camel's throttle refuses at once or lets all wait.
 */
@Component("brokerBulkhead")
public class BrokerBulkhead {

    /** While the broker answers, a place is free in less. */
    private static final Duration PATIENCE = Duration.ofMillis(200);

    private final Waits waits;
    private final Refusals refusals;

    /** In the order in which they came: a client that has many has its next one behind those of others. */
    private final Semaphore places;

    BrokerBulkhead(HttpLimits limits, Waits waits, Refusals refusals) {
        this.places = new Semaphore(limits.maxPublishing(), true);
        this.waits = waits;
        this.refusals = refusals;
    }

    /**
     * Takes a place until the request is answered.
     *
     * @throws ProblemException 503 when none is free, 429 when the client or its tenant has too many requests that wait
     */
    public void enter(Exchange exchange) throws InterruptedException {
        waits.enter(HttpRequest.of(exchange).caller(), exchange);
        if (!places.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            throw refusals.count("publishing", 503, "too many requests wait for the broker");
        }
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                places.release();
            }
        });
    }
}
