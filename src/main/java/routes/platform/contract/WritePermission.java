package routes.platform.contract;

import java.util.Set;
import routes.platform.Caller;

/**
 * The permission of callers to write to a topic in their own name, equal to that of the API operations.
 *
 * @param scope required of the caller
 * @param types event or command types; empty for all
 */
public record WritePermission(String scope, Set<String> types) {

    public boolean allows(Caller caller, String type) {
        return caller.hasScope(scope) && (types.isEmpty() || types.contains(type));
    }
}
