/**
 * Implements CQRS for prescriptions. The write side applies each command once or rejects it with a reason; each applied
 * command appends one event. The read side answers from a view that a projection builds from the events. The flow is in
 * {@code camel/cqrs.camel.yaml}.
 */
package routes.cqrs;
