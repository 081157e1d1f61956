/**
 * Holds the code that all patterns share. It depends on no pattern: where one pattern serves all, this package declares
 * an interface, and that pattern implements it.
 *
 * <ul>
 *   <li>{@code contract} reads the two contract files and applies them: topics, schemas, allow-lists.
 *   <li>{@code avro} reads and writes Avro values, with the schema registry.
 *   <li>{@code event} reads the envelope from a record, or builds it from a request.
 *   <li>{@code http} and {@code kafka} are the two ingresses; both let only known headers pass.
 *   <li>{@code error} tells poison from a dependency that is down, and writes dead letters and problems.
 *   <li>{@code state} keeps handled events and idempotency keys, and purges them.
 *   <li>{@code outbox} sends the events that follow from a database change once it commits.
 *   <li>{@code step} runs long work in steps, and {@code projection} builds and rebuilds views.
 *   <li>{@code fhir} calls the FHIR servers of the tenants, and reports whether they answer.
 *   <li>{@code route} reports where a route file is wrong.
 *   <li>{@code health} reports which dependency the runtime waits for.
 * </ul>
 */
package routes.platform;
