/**
 * Receives HTTP requests. Every request gets a correlation id and needs a token. {@code HttpIngress} validates it by
 * {@code contract/openapi.yaml} before a route sees it. Limits give each client and each tenant a share of the threads.
 * Every error leaves as {@code application/problem+json}.
 */
package routes.platform.http;
