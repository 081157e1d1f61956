package routes.fhir;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One thing that a write asks for, without its query and its identifiers.
 *
 * @param method POST, PUT, PATCH or DELETE
 * @param type such as Patient
 * @param id of the resource; null where the server chooses or finds it
 * @param count the number of interactions that ask for it
 */
record FhirTarget(String method, String type, String id, int count) {

    /** Returns what a request wants to change, each thing once. */
    static List<FhirTarget> of(FhirRequest request) {
        Map<FhirTarget, Integer> counts = new LinkedHashMap<>();
        for (FhirInteraction asked : request.interactions()) {
            if (asked.isWrite()) {
                counts.merge(new FhirTarget(asked.method(), asked.type(), asked.id(), 1), 1, Integer::sum);
            }
        }
        return counts.entrySet().stream()
                .map(entry -> entry.getKey().times(entry.getValue()))
                .toList();
    }

    private FhirTarget times(int number) {
        return new FhirTarget(method, type, id, number);
    }

    /** Such as {@code Patient/1}. */
    String resource() {
        return type + '/' + id;
    }

    boolean isDelete() {
        return method.equals("DELETE");
    }

    /** Whether a query finds the resource. */
    boolean isDeleteByQuery() {
        return isDelete() && id == null;
    }
}
