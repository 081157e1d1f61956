/**
 * Runs long jobs in steps, on every instance: the reprocessing of dead letters and the rebuilds of projections. A
 * pattern implements the step as a {@code JobHandler}; the {@code StepRunner} decides when a step runs, and what a
 * failure means.
 */
package routes.platform.step;
