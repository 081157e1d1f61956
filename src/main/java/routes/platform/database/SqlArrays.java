package routes.platform.database;

import java.util.Collection;
import java.util.function.Function;
import org.springframework.jdbc.support.SqlArrayValue;

/** Makes array parameters for {@code unnest}, so that one statement writes the rows of a batch. */
public final class SqlArrays {

    private SqlArrays() {}

    public static <T> SqlArrayValue texts(Collection<T> rows, Function<T, String> text) {
        return of("text", rows, text);
    }

    public static <T> SqlArrayValue longs(Collection<T> rows, Function<T, Long> number) {
        return of("bigint", rows, number);
    }

    /** @param type the PostgreSQL type of an element */
    public static <T> SqlArrayValue of(String type, Collection<T> rows, Function<T, ?> element) {
        return new SqlArrayValue(type, rows.stream().map(element).toArray());
    }
}
