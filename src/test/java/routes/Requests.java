package routes;

import java.util.Map;
import java.util.Optional;
import routes.platform.Caller;
import routes.platform.http.HttpRequest;

/** Builds requests as routes get them: validated, with a caller. */
public final class Requests {

    private Requests() {}

    public static HttpRequest get(Caller caller) {
        return request(caller, null, "GET", "");
    }

    public static HttpRequest post(Caller caller) {
        return request(caller, null, "POST", "application/json");
    }

    /** @param key the Idempotency-Key, or null */
    public static HttpRequest post(Caller caller, String key) {
        return request(caller, key, "POST", "application/json");
    }

    /** @param parameters the values of the query's parameters by name */
    public static HttpRequest post(Caller caller, String key, Map<String, Object> parameters) {
        HttpRequest request = post(caller, key);
        return new HttpRequest(
                request.caller(),
                request.correlationId(),
                request.requestId(),
                request.idempotencyKey(),
                request.method(),
                request.path(),
                request.query(),
                parameters,
                request.mediaType());
    }

    private static HttpRequest request(Caller caller, String key, String method, String mediaType) {
        return new HttpRequest(
                caller, "journey-1", "request-1", Optional.ofNullable(key), method, "/", Map.of(), Map.of(), mediaType);
    }
}
