package routes.platform.http;

import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

/**
 * Limits the requests that wait for something other than the database: a body, a stream, the broker, a FHIR server, the
 * effect of a command, another request. All of them share one limit below the number of threads, so that reads always
 * find one. Each client and tenant may take a share of it.
 */
@Component
public class WaitingRequestLimiter {

    private final ConcurrencyLimiter limiter;
    private final ClientBulkhead bulkhead;
    private final RejectionCounter rejections;

    WaitingRequestLimiter(
            HttpLimits limits,
            ClientBulkhead bulkhead,
            RejectionCounter rejections,
            @Value("${server.tomcat.threads.max}") int threads) {
        limits.check(threads);
        this.limiter = limits.waiting();
        this.bulkhead = bulkhead;
        this.rejections = rejections;
    }

    /** Lets one request wait; {@code close} releases its permit. */
    @FunctionalInterface
    public interface Permit extends AutoCloseable {

        @Override
        void close();
    }

    /** @throws ProblemException 429 when the client, its tenant or all clients together reach the limit */
    public Permit acquire(Caller caller) {
        ClientKey client = ClientKey.of(caller);
        limiter.tryAcquire(client).ifPresent(level -> {
            int limit = limiter.limit(level);
            throw switch (level) {
                case CLIENT ->
                    rejections.reject(
                            "client-waiting",
                            429,
                            "this client has %d requests that wait for a body, the broker, a FHIR server or an effect, the most that one may have"
                                    .formatted(limit));
                case TENANT ->
                    rejections.reject(
                            "tenant-waiting",
                            429,
                            "the clients of this tenant have %d requests that wait for a body, the broker, a FHIR server or an effect, the most that a tenant may have"
                                    .formatted(limit));
                case ALL ->
                    rejections.reject(
                            "waiting",
                            429,
                            "%d requests wait for a body, the broker, a FHIR server or an effect, the most that there may be"
                                    .formatted(limit));
            };
        });
        bulkhead.pause(client);
        return () -> {
            bulkhead.resume(client);
            limiter.release(client);
        };
    }

    /**
     * Acquires a permit that the request holds until it is answered.
     *
     * @throws ProblemException 429 as above
     */
    void acquire(Caller caller, Exchange exchange) {
        Permit permit = acquire(caller);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                permit.close();
            }
        });
    }
}
