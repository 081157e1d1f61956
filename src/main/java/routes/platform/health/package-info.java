/** Checks the dependencies and the routes for {@code /observe/health}, and keeps repeated warnings out of the log. */
package routes.platform.health;
