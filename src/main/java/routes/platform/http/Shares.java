package routes.platform.http;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What is there a number of times, and how much of it each tenant and each client has. */
final class Shares {

    /** What nobody is in the way of. */
    enum Holder {
        CLIENT,
        TENANT,
        ALL
    }

    private final Map<Holder, Integer> most;

    /** Of whoever has any: no more entries than there are places, however many clients there have been. */
    private final Map<Object, Integer> taken = new HashMap<>();

    Shares(int all, int tenant, int client) {
        most = Map.of(Holder.ALL, all, Holder.TENANT, tenant, Holder.CLIENT, client);
    }

    int most(Holder holder) {
        return most.get(holder);
    }

    /** Takes one for a client, or says who has all that it may have. */
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
