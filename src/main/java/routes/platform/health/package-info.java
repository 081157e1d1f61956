/** What {@code /observe/health/ready} looks at: the dependencies and the routes. */
package routes.platform.health;
