package routes.fhir;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import routes.platform.error.ProblemException;

/** One resource of a body, and in a bundle the request of its entry. */
final class FhirBodyPart {

    private final String place;
    private final Map<String, String> texts = new HashMap<>();
    private final Set<FhirPermission> needs = new HashSet<>();
    private boolean hasResource;
    private boolean hasRequest;

    /** @param place begins the text of an error, such as {@code Bundle.entry[2]} */
    FhirBodyPart(String place) {
        this.place = place;
    }

    String place() {
        return place;
    }

    void beginResource() {
        if (hasResource) {
            throw twice("resource");
        }
        hasResource = true;
    }

    void beginRequest() {
        if (hasRequest) {
            throw twice("request");
        }
        hasRequest = true;
    }

    /** @param element such as {@code request.url} */
    void put(String element, String text) {
        if (text == null) {
            throw new ProblemException(400, place + ": " + element + " must be a text");
        }
        if (texts.put(element, text) != null) {
            throw twice(element);
        }
    }

    void need(Set<FhirPermission> more) {
        needs.addAll(more);
    }

    boolean hasResource() {
        return hasResource;
    }

    boolean hasRequest() {
        return hasRequest;
    }

    /** The text of an element, or null. */
    String text(String element) {
        return texts.get(element);
    }

    Set<FhirPermission> needs() {
        return needs;
    }

    private ProblemException twice(String element) {
        return new ProblemException(400, place + ": " + element + " is given twice");
    }
}
