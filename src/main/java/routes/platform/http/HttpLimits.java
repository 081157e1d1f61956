package routes.platform.http;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.util.unit.DataSize;

/**
 * Limits on the number, the size and the duration of requests.
 *
 * @param maxBody the largest body that is not streamed
 * @param bodyTimeout the time for such a body to arrive, and for a response to be read. A stream has to keep its
 *     minimum rate over this interval
 * @param maxWaiting requests that wait for something other than the database
 * @param maxPublishing those of them that wait for the broker
 * @param clientShare the part of {@code maxWaiting} that one client may take, above 0 and at most 1
 * @param tenantShare the part of it that the clients of one tenant may take together
 * @param clientRate requests per second of one client
 * @param tenantRate requests per second of all clients of a tenant
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

    /**
     * @throws InvalidConfigurationPropertyValueException when a limit lets nothing through, or waiting requests could
     *     take every thread
     */
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

    ConcurrencyLimiter waiting() {
        return new ConcurrencyLimiter(maxWaiting, share(tenantShare), share(clientShare));
    }

    /** The permits of a dependency that the clients of one tenant may take together. */
    public int shareOfATenant(int permits) {
        return Math.max(1, (int) (tenantShare * permits));
    }

    /** Leaves threads for reads to a client whose waiting requests use up its share. */
    ConcurrencyLimiter inFlight(int threads) {
        int reads = threads - maxWaiting;
        return new ConcurrencyLimiter(threads, share(tenantShare) + reads, share(clientShare) + reads);
    }

    /** Shares the threads for reads among all without a token: they never wait for a body, an effect or the broker. */
    ConcurrencyLimiter inFlightWithoutToken(int threads) {
        int reads = threads - maxWaiting;
        return new ConcurrencyLimiter(threads, reads, reads);
    }

    private int share(double part) {
        return Math.max(1, (int) (part * maxWaiting));
    }
}
