/**
 * What the patterns share. It knows no pattern: where one pattern serves all, this package names the port and that pattern fills it.
 *
 * <ul>
 *   <li>{@code contract} reads the two contract files and makes them true: topics, schemas, allow-lists.
 *   <li>{@code avro} is the bytes of Avro values, and the schema registry.
 *   <li>{@code event} is the envelope: read from a record, or made from a request.
 *   <li>{@code http} and {@code kafka} are the two ways in; both let only known headers pass.
 *   <li>{@code error} tells poison from a dependency that is down, and writes dead letters and problems.
 *   <li>{@code state} remembers what was handled and answered, and forgets it in time.
 *   <li>{@code outbox} sends what follows from a database change, when and only when it is committed.
 *   <li>{@code route} says where a route file is wrong.
 *   <li>{@code health} says what the runtime is waiting for.
 * </ul>
 */
package routes.platform;
