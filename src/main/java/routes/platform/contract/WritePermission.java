package routes.platform.contract;

import java.util.Set;
import routes.platform.Caller;

/**
 * What callers write to a topic in their own name: the same as the operations of the API let them.
 *
 * @param scope that they need
 * @param types event or command types; empty for all
 */
public record WritePermission(String scope, Set<String> types) {

    public boolean allows(Caller caller, String type) {
        return caller.hasScope(scope) && (types.isEmpty() || types.contains(type));
    }
}
