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
 */
public record RetentionRule(String table, String column, Duration keep, Map<String, String> childTables) {

    public RetentionRule(String table, String column, Duration keep) {
        this(table, column, keep, Map.of());
    }
}
