/** The way in from and out to Kafka: which record headers pass, and when an offset moves. */
package routes.platform.kafka;
