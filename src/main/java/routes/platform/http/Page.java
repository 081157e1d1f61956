package routes.platform.http;

import java.util.List;
import java.util.function.ToLongFunction;
import org.apache.camel.Exchange;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * One page of a list, newest first. Pages are cut by the sequence number of their last entry, so that entries which arrive while a
 * caller pages neither repeat nor hide others.
 *
 * @param before only entries with a smaller sequence number
 * @param limit entries per page
 */
public record Page(long before, int limit) {

    private static final int DEFAULT_LIMIT = 50;

    /** What the request asks for. */
    public static Page of(Exchange exchange) {
        return new Page(
                exchange.getMessage().getHeader("cursor", Long.MAX_VALUE, Long.class),
                exchange.getMessage().getHeader("limit", DEFAULT_LIMIT, Integer.class));
    }

    /** How many rows to read: one more than a page, which tells whether there is a next one. */
    public int rows() {
        return limit + 1;
    }

    /** Cuts the rows to the page, and links to the next one when there is more. */
    public <T> List<T> cut(List<T> rows, ToLongFunction<T> sequence, Exchange exchange) {
        if (rows.size() <= limit) {
            return rows;
        }
        List<T> page = rows.subList(0, limit);
        HttpRequest request = HttpRequest.of(exchange);
        String next = UriComponentsBuilder.fromPath(request.path())
                .query(request.query())
                .replaceQueryParam("cursor", sequence.applyAsLong(page.get(limit - 1)))
                .build()
                .toUriString();
        exchange.getMessage().setHeader("Link", "<" + next + ">; rel=\"next\"");
        return page;
    }
}
