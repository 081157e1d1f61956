/** Classifies failures, and turns them into a problem for the caller, a retry, or a dead letter. */
package routes.platform.error;
