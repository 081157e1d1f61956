package routes.platform.http;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Counts the places that each client, each tenant and all together hold, and lets none hold more than its share. */
final class Shares {

    /** Who holds places. */
    enum Holder {
        CLIENT,
        TENANT,
        ALL
    }

    private final Map<Holder, Integer> most;

    /** By client, tenant and all. Who holds none has no entry, so strangers do not fill the map. */
    private final Map<Object, Integer> taken = new HashMap<>();

    Shares(int all, int tenant, int client) {
        most = Map.of(Holder.ALL, all, Holder.TENANT, tenant, Holder.CLIENT, client);
    }

    int most(Holder holder) {
        return most.get(holder);
    }

    /** Takes a place for a client, or names the holder whose share is used up. */
    synchronized Optional<Holder> take(Client client) {
        for (Holder holder : Holder.values()) {
            if (taken.getOrDefault(key(holder, client), 0) >= most(holder)) {
                return Optional.of(holder);
            }
        }
        for (Holder holder : Holder.values()) {
            taken.merge(key(holder, client), 1, Integer::sum);
        }
        return Optional.empty();
    }

    synchronized void giveBack(Client client) {
        for (Holder holder : Holder.values()) {
            taken.computeIfPresent(key(holder, client), (key, n) -> n == 1 ? null : n - 1);
        }
    }

    private static Object key(Holder holder, Client client) {
        return switch (holder) {
            case CLIENT -> client;
            case TENANT -> client.tenant();
            case ALL -> holder;
        };
    }
}
