/**
 * Records the dead letters of all topics, shows them to operators, and reprocesses or discards them. The flow is in
 * {@code camel/deadletter.camel.yaml}; this package holds the state and the decisions.
 */
package routes.deadletter;
