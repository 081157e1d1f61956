package routes.fhir;

import java.util.Set;

/**
 * The body of a request or of a bundle entry, with the parts that permissions depend on.
 *
 * @param kind what it holds
 * @param type of its resource, or null
 * @param id of its resource, or null
 * @param needs the permissions for its conditional references
 */
record FhirContent(Kind kind, String type, String id, Set<FhirPermission> needs) {

    enum Kind {
        NONE,
        RESOURCE,
        PATCH,
        FORM
    }

    static final FhirContent NONE = new FhirContent(Kind.NONE, null, null, Set.of());

    static FhirContent patch(Set<FhirPermission> needs) {
        return new FhirContent(Kind.PATCH, null, null, needs);
    }
}
