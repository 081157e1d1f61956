package routes.fhir;

/**
 * A version that a write made, as the server's answer or its history shows.
 *
 * @param made the version
 * @param confirmed false when the version may be an older one, which the write left as it was
 */
record FhirOutcome(FhirVersion made, boolean confirmed) {}
