/**
 * Avro in Confluent's wire format: byte 0, the id of the writer's schema in 4 bytes, big-endian, and the value in Avro's binary
 * encoding. Values are read with the schema they were written with, as the record that the contract says of their topic. What cannot
 * be read is poison; a registry that does not answer is a dependency that is down, and a schema is unknown only when the registry says so.
 */
package routes.platform.avro;
