/**
 * The way in over HTTP: every request gets a correlation id, has to say by a token who sends it, is checked against
 * {@code contract/openapi.yaml} before a route sees it, and every error leaves as {@code application/problem+json}.
 */
package routes.platform.http;
