/** A route file that does not load says where it is wrong, file and line, before the runtime takes any work. */
package routes.platform.route;
