package routes.platform.http;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.util.unit.DataSize;

/**
 * How many requests there may be, of whom, how large and how slow.
 *
 * @param maxBody the largest body that is not streamed
 * @param bodyTimeout how long such a body may take to arrive, and an answer to be taken; a stream has to go on within it
 * @param maxWaiting requests that wait for something other than the database
 * @param maxPublishing those of them that wait for the broker
 * @param clientShare of {@code maxWaiting} that one client may take
 * @param tenantShare of it that the clients of one tenant may take together
 * @param clientRate requests of one client in a second
 * @param tenantRate requests of all clients of a tenant in a second
 */
@ConfigurationProperties("event-broker.http")
public record HttpLimits(
        DataSize maxBody,
        Duration bodyTimeout,
        int maxWaiting,
        int maxPublishing,
        double clientShare,
        double tenantShare,
        int clientRate,
        int tenantRate) {

    /** @throws InvalidConfigurationPropertyValueException when one of them is none, or the requests that wait could take every thread */
    void check(int threads) {
        require(clientRate >= 1, "client-rate", clientRate, "It has to be at least 1.");
        require(tenantRate >= 1, "tenant-rate", tenantRate, "It has to be at least 1.");
        require(isShare(clientShare), "client-share", clientShare, "It has to be more than 0, and at most 1.");
        require(isShare(tenantShare), "tenant-share", tenantShare, "It has to be more than 0, and at most 1.");
        require(
                maxPublishing >= 1 && maxPublishing <= maxWaiting,
                "max-publishing",
                maxPublishing,
                "It has to be at least 1, and at most max-waiting, which is %d.".formatted(maxWaiting));
        require(
                maxWaiting < threads,
                "max-waiting",
                maxWaiting,
                "Requests that wait would take all %d threads (server.tomcat.threads.max), and none would be left for reads."
                        .formatted(threads));
    }

    private static boolean isShare(double share) {
        return share > 0 && share <= 1;
    }

    private static void require(boolean isGood, String name, Object value, String reason) {
        if (!isGood) {
            throw new InvalidConfigurationPropertyValueException("event-broker.http." + name, value, reason);
        }
    }

    Shares waiting() {
        return new Shares(maxWaiting, share(tenantShare), share(clientShare));
    }

    /** A client whose waiting requests use up its share still has threads for reads. */
    Shares underWay(int threads) {
        int reads = threads - maxWaiting;
        return new Shares(threads, share(tenantShare) + reads, share(clientShare) + reads);
    }

    /** Callers without a token share the threads for reads: they never wait for a body, an effect or the broker. */
    Shares underWayWithoutToken(int threads) {
        int reads = threads - maxWaiting;
        return new Shares(threads, reads, reads);
    }

    private int share(double part) {
        return Math.max(1, (int) (part * maxWaiting));
    }
}
