package routes.fhir;

import java.util.List;

/**
 * A request to the FHIR facade without its body.
 *
 * @param method such as GET
 * @param path the decoded segments below {@code /fhir}
 * @param query as sent, or null
 * @param ifNoneExist header {@code If-None-Exist}, or null
 * @param format of the body
 * @param publicUrl the address of the facade for this caller, without a slash at its end
 */
record FhirRequestHead(
        String method, List<String> path, String query, String ifNoneExist, FhirFormat format, String publicUrl) {

    /** Whether its body is a transaction or a batch. */
    boolean isBundle() {
        return path.isEmpty() && method.equals("POST");
    }
}
