/**
 * The envelope: what an event says about itself, how it is read from a record and made from a request. One rule for every field, in
 * one place, because deduplication, correlation and tenancy all stand on it.
 */
package routes.platform.event;
