/**
 * The transactional outbox: what follows from a database change is written in its transaction, and sent afterwards by the one instance
 * whose relay is active, in order per key, until the broker has acknowledged it.
 */
package routes.platform.outbox;
