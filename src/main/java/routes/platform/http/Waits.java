package routes.platform.http;

import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

/**
 * Lets some of the server's threads wait for something other than the database: a body, a stream, the broker, the effect of a command, another
 * request. One number for all of them, less than there are threads, so that the others read; and a share for each client and tenant.
 */
@Component
public class Waits {

    private final Shares shares;
    private final Turns turns;
    private final Refusals refusals;

    Waits(HttpLimits limits, Turns turns, Refusals refusals, @Value("${server.tomcat.threads.max}") int threads) {
        limits.check(threads);
        this.shares = limits.waiting();
        this.turns = turns;
        this.refusals = refusals;
    }

    /** What a request that waits has. */
    @FunctionalInterface
    public interface Place extends AutoCloseable {

        @Override
        void close();
    }

    /** @throws ProblemException 429 when the client, its tenant or all together have as many as they may have */
    public Place enter(Caller caller) {
        Client client = Client.of(caller);
        shares.take(client).ifPresent(holder -> {
            int most = shares.most(holder);
            throw switch (holder) {
                case CLIENT ->
                    refusals.count(
                            "client-waiting",
                            429,
                            "this client has %d requests that wait for a body, the broker or an effect, the most that one may have"
                                    .formatted(most));
                case TENANT ->
                    refusals.count(
                            "tenant-waiting",
                            429,
                            "the clients of this tenant have %d requests that wait for a body, the broker or an effect, the most that a tenant may have"
                                    .formatted(most));
                case ALL ->
                    refusals.count(
                            "waiting",
                            429,
                            "%d requests wait for a body, the broker or an effect, the most that there may be"
                                    .formatted(most));
            };
        });
        turns.pause(client);
        return () -> {
            turns.resume(client);
            shares.giveBack(client);
        };
    }

    /**
     * The same until the request is answered.
     *
     * @throws ProblemException 429 as above
     */
    void enter(Caller caller, Exchange exchange) {
        Place place = enter(caller);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                place.close();
            }
        });
    }
}
