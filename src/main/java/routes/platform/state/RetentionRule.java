package routes.platform.state;

import java.time.Duration;
import java.util.Map;

/**
 * Defines how long to keep the rows of a table. A pattern declares one as a bean for each table that grows.
 *
 * @param column the age of a row: a timestamptz with an index
 * @param keep the age at which rows are purged
 * @param childTables tables to purge first, because a cascade to their many rows would take long: by name, the indexed
 *     column with the {@code id} of the parent
 * @param exception a query that keeps a row, whatever its age, when it finds something; null for no exception
 */
public record RetentionRule(
        String table, String column, Duration keep, Map<String, String> childTables, String exception) {

    public RetentionRule(String table, String column, Duration keep) {
        this(table, column, keep, Map.of());
    }

    public RetentionRule(String table, String column, Duration keep, Map<String, String> childTables) {
        this(table, column, keep, childTables, null);
    }

    /** @param query for one row, by an index of the other table */
    public RetentionRule unless(String query) {
        return new RetentionRule(table, column, keep, childTables, query);
    }
}
