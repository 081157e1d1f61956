/**
 * Reads and writes Avro in Confluent's wire format: byte 0, the id of the writer's schema in 4 bytes, big-endian, then
 * Avro binary. Reads a value with its writer's schema, as the contract's record of its topic. An unreadable value is
 * poison; a registry that does not answer is a dependency that is down.
 */
package routes.platform.avro;
