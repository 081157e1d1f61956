/**
 * Work that takes long, as rows that any instance can take a step of: the jobs of dead letters, the rebuilds of projections. What is
 * done in a step is its owner's; here is when it is taken, by whom, and what follows when it fails.
 */
package routes.platform.step;
