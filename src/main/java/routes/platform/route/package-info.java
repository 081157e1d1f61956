/** Reports an invalid route file by file and line before the runtime starts, and measures the routes. */
package routes.platform.route;
