/** The runtime. One package per pattern, named as its YAML file; {@code platform} holds what they share. */
package routes;
