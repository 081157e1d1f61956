/**
 * The transactional outbox. A route adds events in the transaction of the change that causes them. One instance at a
 * time relays them to Kafka, in order per key, until the broker acknowledges each.
 */
package routes.platform.outbox;
