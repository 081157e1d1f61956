/**
 * Implements event sourcing for patients. Callers append events to a log that is kept forever; a projection folds the
 * log into the history and the read model. The flow is in {@code camel/eventsourcing.camel.yaml}.
 */
package routes.eventsourcing;
