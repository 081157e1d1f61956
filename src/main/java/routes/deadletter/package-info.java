/**
 * Dead letters: what could not be handled is recorded, reviewed by a person, and sent again or discarded. The flow is in
 * {@code camel/deadletter.camel.yaml}; here is the state of the letters, and the decisions about what may be sent again and what a
 * second failure belongs to.
 */
package routes.deadletter;
