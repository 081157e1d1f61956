package routes.platform.state;

import java.time.Duration;

/**
 * How long the rows of a table are kept. A pattern that has a table which grows declares one as a bean.
 *
 * @param table the table
 * @param column when the row was written, a timestamptz with an index
 * @param keep how long
 */
public record RetentionRule(String table, String column, Duration keep) {}
