/**
 * Publish-subscribe: events come in over HTTP or from Kafka clients and reach independent subscribers. The flow is in
 * {@code camel/pubsub.camel.yaml}; here is the state of the two subscribers.
 */
package routes.pubsub;
