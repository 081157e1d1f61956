package routes.fhir;

/**
 * One right to one type of resources, as the scopes of SMART App Launch 2 grant it.
 *
 * @param letter {@code c} create, {@code r} read, {@code u} update, {@code d} delete, {@code s} search
 * @param type such as Patient, or {@code *} for all types
 * @see <a href="https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html">SMART scopes</a>
 */
record FhirPermission(char letter, String type) {}
