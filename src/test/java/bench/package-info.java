/**
 * Measures the consumer, the routes and the producer beside hand-written code and other frameworks.
 * {@code bench/README.md} has the commands and the results.
 */
package bench;
