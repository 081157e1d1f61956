package routes.platform.http;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/**
 * Limits how many of the waiting requests wait for the broker, so that bodies and streams continue while it is down.
 * All patterns share one bulkhead: one for each would use up all threads between them.
 */
@Component("brokerBulkhead")
public class BrokerBulkhead {

    /** Is longer than a permit is held while the broker answers. */
    private static final Duration MAX_WAIT = Duration.ofMillis(200);

    private final WaitingRequestLimiter waiting;
    private final RejectionCounter rejections;

    /** Is fair: the next request of a busy client queues behind those of others. */
    private final Semaphore permits;

    BrokerBulkhead(HttpLimits limits, WaitingRequestLimiter waiting, RejectionCounter rejections) {
        this.permits = new Semaphore(limits.maxPublishing(), true);
        this.waiting = waiting;
        this.rejections = rejections;
    }

    /**
     * Takes a permit until the request is answered.
     *
     * @throws ProblemException 503 when none is free, 429 when too many requests of the client or its tenant wait
     */
    public void enter(Exchange exchange) throws InterruptedException {
        waiting.acquire(HttpRequest.of(exchange).caller(), exchange);
        if (!permits.tryAcquire(MAX_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw rejections.reject("publishing", 503, "too many requests wait for the broker");
        }
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                permits.release();
            }
        });
    }
}
