/** Holds one package per pattern, named like its YAML file, and {@code platform} with the code they share. */
package routes;
