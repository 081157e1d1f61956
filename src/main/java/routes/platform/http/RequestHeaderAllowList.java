package routes.platform.http;

import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.springframework.stereotype.Component;
import routes.platform.contract.OpenApi;

/**
 * Lets only the request headers of the contract become message headers, and only known headers into the response. Camel
 * acts on message headers, and fills them from HTTP headers, the query and forms. Query parameters stay in
 * {@link HttpRequest}, where no header can replace them.
 */
@Component
class RequestHeaderAllowList implements HeaderFilterStrategy {

    private static final Set<String> RESPONSE = caseInsensitive(Set.of(
            "Connection",
            "Content-Disposition",
            "Content-Length",
            "Content-Location",
            "Content-Type",
            "ETag",
            "Last-Modified",
            "Link",
            "Location",
            "Preference-Applied",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-ID"));

    private final Set<String> request;

    RequestHeaderAllowList(OpenApi contract) {
        request = caseInsensitive(contract.headers());
        request.add("Content-Type");
    }

    private static Set<String> caseInsensitive(Set<String> names) {
        Set<String> set = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        set.addAll(names);
        return set;
    }

    @Override
    public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
        return !RESPONSE.contains(name);
    }

    @Override
    public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
        return !request.contains(name);
    }
}
