/**
 * Measures the consumer, the routes and the producer side by side with what a programmer would write by hand. {@code bench/README.md}
 * says how to run it and what came out.
 */
package bench;
