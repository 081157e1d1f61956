package routes.platform.http;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import routes.platform.error.ProblemException;

/** Limits how many of the waiting requests wait for one dependency, so that others continue while it is down. */
public final class Bulkhead {

    /** Is longer than a permit is held while the dependency answers. */
    private static final Duration MAX_WAIT = Duration.ofMillis(200);

    private final String limit;
    private final String error;
    private final WaitingRequestLimiter waiting;
    private final RejectionCounter rejections;

    /** Is fair: the next request of a busy client queues behind those of others. */
    private final Semaphore permits;

    /**
     * @param limit its name in the metric of rejections
     * @param permits requests that may wait at a time
     * @param error tells a rejected caller why
     */
    Bulkhead(String limit, int permits, String error, WaitingRequestLimiter waiting, RejectionCounter rejections) {
        this.limit = limit;
        this.permits = new Semaphore(permits, true);
        this.error = error;
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
            throw rejections.reject(limit, 503, error);
        }
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                permits.release();
            }
        });
    }
}
