package routes.platform.http;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.apache.camel.Exchange;
import org.springframework.web.util.UriComponentsBuilder;

/**
 * One page of a list, cut by keyset: the cursor is the place of the last entry, such as its sequence number. Entries
 * that arrive while a caller pages neither repeat nor hide others.
 *
 * @param cursor the place of the last entry of the previous page; null for the first page
 * @param limit entries per page
 */
public record Page(String cursor, int limit) {

    /** A page ends after the entry that brings it to this size, so that the pages of many callers fit the heap. */
    private static final int BYTES = 1 << 20;

    /**
     * Returns a query for the rows of a page of large entries: up to the one that reaches {@link #BYTES}, and the next
     * one.
     *
     * @param rows a query with a column {@code bytes}, of at most {@link #rows()} rows
     * @param order of the list
     */
    public static String sized(String rows, String order) {
        return """
                select * from (
                    -- sums the rows before the previous one, so that the row after the limit stays
                    select *, coalesce(sum(bytes) over (order by %2$s rows between unbounded preceding and 2 preceding), 0) as bytes_before
                    from (%1$s) rows) sized
                where bytes_before < %3$d order by %2$s"""
                .formatted(rows, order, BYTES);
    }

    /** Reads the page that the request asks for. */
    public static Page of(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        return new Page(request.text("cursor"), Math.toIntExact(request.number("limit")));
    }

    /** The sequence number that all entries of the page are below, in a list that is newest first. */
    public long before() {
        return cursor == null ? Long.MAX_VALUE : Long.parseLong(cursor);
    }

    /** The number of rows to read: one more than the page, which shows whether there is a next page. */
    public int rows() {
        return limit + 1;
    }

    /** Cuts the rows to the page and, if there are more, links to the next page. */
    public <T> List<T> cut(List<T> rows, Function<T, ?> place, Exchange exchange) {
        return cut(rows, place, row -> 0, exchange);
    }

    /**
     * Cuts rows of large entries by size as well.
     *
     * @param bytes the size of an entry; the rows may end after the first one that is not on the page
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
        // relative, so that it works behind any proxy; with a query alone, java.net.URI would lose the last segment
        UriComponentsBuilder next = UriComponentsBuilder.fromPath(
                request.path().substring(request.path().lastIndexOf('/') + 1));
        query.keySet().forEach(name -> next.queryParam(name, "{" + name + "}"));
        exchange.getMessage()
                .setHeader("Link", "<" + next.encode().buildAndExpand(query).toUriString() + ">; rel=\"next\"");
        return rows.subList(0, entries);
    }
}
