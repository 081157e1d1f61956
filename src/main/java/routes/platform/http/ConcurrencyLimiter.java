package routes.platform.http;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Limits how many permits each client, each tenant and all clients together hold at a time. A client without permits
 * has no entry, so idle clients do not fill the map.
 */
final class ConcurrencyLimiter {

    /** Whose limit a request counts against. */
    enum Level {
        CLIENT,
        TENANT,
        ALL
    }

    private final Map<Level, Integer> limits;
    private final Map<Object, Integer> permits = new HashMap<>();

    ConcurrencyLimiter(int all, int tenant, int client) {
        limits = Map.of(Level.ALL, all, Level.TENANT, tenant, Level.CLIENT, client);
    }

    int limit(Level level) {
        return limits.get(level);
    }

    /** Takes a permit for a client; returns the level whose limit is reached when there is none. */
    synchronized Optional<Level> tryAcquire(ClientKey client) {
        for (Level level : Level.values()) {
            if (permits.getOrDefault(key(level, client), 0) >= limit(level)) {
                return Optional.of(level);
            }
        }
        for (Level level : Level.values()) {
            permits.merge(key(level, client), 1, Integer::sum);
        }
        return Optional.empty();
    }

    synchronized void release(ClientKey client) {
        for (Level level : Level.values()) {
            permits.computeIfPresent(key(level, client), (key, n) -> n == 1 ? null : n - 1);
        }
    }

    private static Object key(Level level, ClientKey client) {
        return switch (level) {
            case CLIENT -> client;
            case TENANT -> client.tenant();
            case ALL -> level;
        };
    }
}
