/**
 * Read models that depend on the log alone, and their rebuild. A pattern declares a
 * {@link routes.platform.projection.Projection}. A rebuild replays the log into shadow tables, compares them with the
 * view and swaps them in.
 */
package routes.platform.projection;
