package routes.platform.http;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/**
 * Lets some of the server's threads wait for the broker, so that the others answer while it does not. One for all patterns: a bulkhead of
 * each would share out the threads until none is left. Camel's throttle refuses at once or lets all wait.
 */
@Component("brokerBulkhead")
public class BrokerBulkhead {

    /** While the broker answers, a place is free in less. */
    private static final Duration WAIT = Duration.ofMillis(200);

    /** How many may wait for a place: each has a thread. */
    private static final int WAITING = 8;

    private final Semaphore places;

    public BrokerBulkhead(@Value("${event-broker.http.max-publishing}") int places) {
        this.places = new Semaphore(places, true);
    }

    /**
     * Takes a place until the request is answered.
     *
     * @throws ProblemException 503 when none is free
     */
    public void enter(Exchange exchange) throws InterruptedException {
        if (places.getQueueLength() >= WAITING || !places.tryAcquire(WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new ProblemException(503, "too many requests wait for the broker, try again");
        }
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                places.release();
            }
        });
    }
}
