/** Connections to PostgreSQL: the size of the pool, statement timeouts, and connections outside the pool. */
package routes.platform.database;
