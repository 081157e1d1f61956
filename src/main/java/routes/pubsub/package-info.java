/**
 * Implements publish-subscribe: events arrive over HTTP or from Kafka clients and reach independent subscribers. The
 * flow is in {@code camel/pubsub.camel.yaml}; this package keeps the state of two subscribers.
 */
package routes.pubsub;
