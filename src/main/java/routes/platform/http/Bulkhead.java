package routes.platform.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

/** Limits how many of the waiting requests wait for one dependency, so that others continue while it is down. */
public final class Bulkhead {

    /** Is longer than a permit is held while the dependency answers. */
    private static final Duration MAX_WAIT = Duration.ofMillis(200);

    private final String limit;
    private final String error;
    private final String errorOfATenant;
    private final WaitingRequestLimiter waiting;
    private final RejectionCounter rejections;

    private final Semaphore permits;
    private final int permitsOfATenant;

    /** Has an entry for each tenant that has called. */
    private final Map<String, Semaphore> tenants = new ConcurrentHashMap<>();

    /**
     * @param limit its name in the metric of rejections
     * @param permits requests that may wait at a time
     * @param permitsOfATenant those of one tenant, less than {@code permits} when the dependency of another tenant may
     *     answer meanwhile
     * @param error tells a rejected caller why
     * @param errorOfATenant the same when the clients of its tenant have too many
     */
    Bulkhead(
            String limit,
            int permits,
            int permitsOfATenant,
            String error,
            String errorOfATenant,
            WaitingRequestLimiter waiting,
            RejectionCounter rejections) {
        this.limit = limit;
        this.permits = newSemaphore(permits);
        this.permitsOfATenant = permitsOfATenant;
        this.error = error;
        this.errorOfATenant = errorOfATenant;
        this.waiting = waiting;
        this.rejections = rejections;
    }

    /** Is fair: the next request of a busy client queues behind those of others. */
    private static Semaphore newSemaphore(int permits) {
        return new Semaphore(permits, true);
    }

    /**
     * Takes a permit until the request is answered.
     *
     * @throws ProblemException 503 when none is free, 429 when too many requests of the client or its tenant wait
     */
    public void enter(Exchange exchange) throws InterruptedException {
        Caller caller = HttpRequest.of(exchange).caller();
        waiting.acquire(caller, exchange);
        take(
                tenants.computeIfAbsent(caller.tenant(), tenant -> newSemaphore(permitsOfATenant)),
                errorOfATenant,
                exchange);
        take(permits, error, exchange);
    }

    private void take(Semaphore taken, String error, Exchange exchange) throws InterruptedException {
        if (!taken.tryAcquire(MAX_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
            throw rejections.reject(limit, 503, error);
        }
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                taken.release();
            }
        });
    }
}
