/**
 * Reads events from records, and wraps requests into the envelope. Each field of the envelope has one rule in one
 * place, because deduplication, correlation and tenancy depend on it.
 */
package routes.platform.event;
