/** The connections to PostgreSQL: how many there are, how long a statement may take, and those that are not of the pool. */
package routes.platform.database;
