/**
 * Views that follow from the log alone, and their replay. A pattern declares a {@link routes.platform.projection.Projection}; here is what
 * applies records to it, batch by batch, and what builds it anew beside the one that is served, compares the two and exchanges them.
 */
package routes.platform.projection;
