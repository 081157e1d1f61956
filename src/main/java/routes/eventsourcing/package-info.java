/**
 * Event sourcing: what happens to a patient is a stream of events that is kept for ever, and everything else follows from it. The flow is
 * in {@code camel/eventsourcing.camel.yaml}; here is what an event may say, the view and the history that are made of events, and what can be asked of them.
 */
package routes.eventsourcing;
