/** What can go wrong and what follows from it: a problem for the caller, a retry, or a dead letter. */
package routes.platform.error;
