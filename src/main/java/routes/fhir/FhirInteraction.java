package routes.fhir;

import java.util.Set;

/**
 * One interaction that a request asks for: the request itself, or an entry of its bundle.
 *
 * @param method such as PUT
 * @param type of the resource; null where it has none, as for {@code /metadata}
 * @param id of the resource; null where the server chooses or searches it
 * @param isWrite whether it can make a version of a resource
 * @param needs every permission that it needs
 */
record FhirInteraction(String method, String type, String id, boolean isWrite, Set<FhirPermission> needs) {}
