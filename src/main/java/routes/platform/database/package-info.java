/**
 * Connections to PostgreSQL: the size of the pool, statement timeouts, connections outside the pool, and queries for
 * gauges.
 */
package routes.platform.database;
