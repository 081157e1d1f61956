/** Handled events, idempotency keys, the transactions of routes, and the retention of tables. */
package routes.platform.state;
