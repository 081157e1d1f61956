/** What the runtime remembers so that a repeat has no second effect, and how long. */
package routes.platform.state;
