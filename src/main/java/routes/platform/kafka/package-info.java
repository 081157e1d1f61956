/**
 * Consumes from Kafka with one exchange in flight for each key, and commits an offset when its record is completed or
 * dead-lettered. Decides which record headers pass, in and out.
 */
package routes.platform.kafka;
