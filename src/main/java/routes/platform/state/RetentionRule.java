package routes.platform.state;

import java.time.Duration;
import java.util.Map;

/**
 * How long the rows of a table are kept. A pattern that has a table which grows declares one as a bean.
 *
 * @param table the table
 * @param column when the row was written, a timestamptz with an index
 * @param keep how long
 * @param parts tables with so many rows for each of the table that a cascade would take long, by name, with the indexed column that has
 *     its {@code id}; they are purged first
 */
public record RetentionRule(String table, String column, Duration keep, Map<String, String> parts) {

    public RetentionRule(String table, String column, Duration keep) {
        this(table, column, keep, Map.of());
    }
}
