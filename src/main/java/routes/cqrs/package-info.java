/**
 * CQRS: what is to happen to a prescription is a command, which is applied once or refused with a reason; what has happened is an event; what is
 * asked is answered from a view that follows from the events. The flow is in {@code camel/cqrs.camel.yaml}; here are the rules of the write side, its state, and
 * the view.
 */
package routes.cqrs;
