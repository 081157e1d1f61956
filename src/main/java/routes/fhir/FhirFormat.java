package routes.fhir;

/** The form of a request body. */
enum FhirFormat {
    JSON,
    XML,
    JSON_PATCH,
    XML_PATCH,
    FORM,
    NONE
}
