package routes.platform.http;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.apache.camel.Exchange;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * One page of a list. Pages are cut by the place of their last entry, its sequence number where the list is newest first, so that entries
 * which arrive while a caller pages neither repeat nor hide others.
 *
 * @param cursor the place of the last entry of the page before; null for the first page
 * @param limit entries per page
 */
public record Page(String cursor, int limit) {

    /** A page of large entries ends behind the one that brings it to this size: what many callers ask for at once must fit the heap. */
    private static final int BYTES = 1 << 20;

    /**
     * Of rows that may be large, those of a page, as a query: up to the one that brings it to {@link #BYTES}, and the one behind it.
     *
     * @param rows a query with a column {@code bytes}, of at most {@link #rows()} rows
     * @param order of the list
     */
    public static String sized(String rows, String order) {
        return """
                select * from (
                    -- of the rows of the page so far, for every row and the one behind it
                    select *, coalesce(sum(bytes) over (order by %2$s rows between unbounded preceding and 2 preceding), 0) as bytes_before
                    from (%1$s) rows) sized
                where bytes_before < %3$d order by %2$s"""
                .formatted(rows, order, BYTES);
    }

    /** What the request asks for. */
    public static Page of(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        return new Page(request.text("cursor"), Math.toIntExact(request.number("limit")));
    }

    /** Of a list that is newest first: only entries with a smaller sequence number. */
    public long before() {
        return cursor == null ? Long.MAX_VALUE : Long.parseLong(cursor);
    }

    /** How many rows to read: one more than a page, which tells whether there is a next one. */
    public int rows() {
        return limit + 1;
    }

    /** Cuts the rows to the page, and links to the next one when there is more. */
    public <T> List<T> cut(List<T> rows, Function<T, ?> place, Exchange exchange) {
        return cut(rows, place, row -> 0, exchange);
    }

    /**
     * The same for entries that may be large.
     *
     * @param bytes the size of an entry; the rows need not go on behind the first one that is not on the page
     */
    public <T> List<T> cut(List<T> rows, Function<T, ?> place, ToLongFunction<T> bytes, Exchange exchange) {
        int entries = 0;
        for (long size = 0; entries < Math.min(limit, rows.size()) && size < BYTES; entries++) {
            size += bytes.applyAsLong(rows.get(entries));
        }
        if (entries == rows.size()) {
            return rows;
        }
        HttpRequest request = HttpRequest.of(exchange);
        Map<String, Object> query = new LinkedHashMap<>(request.query());
        query.put("cursor", place.apply(rows.get(entries - 1)));
        // relative: under whichever host and path a proxy shows the API. java.net.URI would lose the last part of the
        // path beside a query alone
        UriComponentsBuilder next = UriComponentsBuilder.fromPath(
                request.path().substring(request.path().lastIndexOf('/') + 1));
        query.keySet().forEach(name -> next.queryParam(name, "{" + name + "}"));
        exchange.getMessage()
                .setHeader("Link", "<" + next.encode().buildAndExpand(query).toUriString() + ">; rel=\"next\"");
        return rows.subList(0, entries);
    }
}
