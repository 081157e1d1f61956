package routes.platform.http;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;

/**
 * How many requests there may be, and of whom.
 *
 * @param bodyTimeout how long a body may take to arrive, and an answer to be taken
 * @param maxWaiting requests that wait for something other than the database
 * @param maxPublishing those of them that wait for the broker
 * @param clientShare of {@code maxWaiting} that one client may take
 * @param tenantShare of it that the clients of one tenant may take together
 * @param clientRate requests of one client in a second
 * @param tenantRate requests of all clients of a tenant in a second
 */
@ConfigurationProperties("event-broker.http")
record HttpLimits(
        Duration bodyTimeout,
        int maxWaiting,
        int maxPublishing,
        double clientShare,
        double tenantShare,
        int clientRate,
        int tenantRate) {

    /** @throws InvalidConfigurationPropertyValueException when the requests that wait could take every thread */
    void leavesRoom(int threads) {
        if (maxWaiting >= threads) {
            throw new InvalidConfigurationPropertyValueException(
                    "event-broker.http.max-waiting",
                    maxWaiting,
                    "Requests that wait would take all %d threads (server.tomcat.threads.max), and none would be left for reads."
                            .formatted(threads));
        }
    }

    Shares waiting() {
        return new Shares(maxWaiting, share(tenantShare), share(clientShare));
    }

    /** Who has all that may wait can still read. */
    Shares underWay(int threads) {
        int reads = threads - maxWaiting;
        return new Shares(threads, share(tenantShare) + reads, share(clientShare) + reads);
    }

    private int share(double part) {
        return Math.max(1, (int) (part * maxWaiting));
    }
}
