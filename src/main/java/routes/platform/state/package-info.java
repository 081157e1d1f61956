/** What the runtime remembers so that a repeat has no second effect, in which transaction, and how long. */
package routes.platform.state;
