package routes.fhir;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/**
 * Finds conditional references in the texts of a body, such as {@code Patient?identifier=a|b}: the server searches for
 * the resource, so each needs {@code s} on its type.
 *
 * <p>HAPI looks only at the last segment before the question mark, in any case, whatever address stands before it. So a
 * text counts wherever it stands in the body, because a patch can make a reference of any text.
 */
@Component
class ConditionalReferences {

    private static final int LONGEST_TYPE = 64;
    private static final int BEYOND_LIMITS = 413;

    private final FhirDefinitions definitions;
    private final FhirSearchNeeds searches;

    ConditionalReferences(FhirDefinitions definitions, FhirSearchNeeds searches) {
        this.definitions = definitions;
        this.searches = searches;
    }

    /** The permissions of a text; none when it is no conditional reference. */
    Set<FhirPermission> needs(String text) {
        int mark = text.indexOf('?');
        if (mark <= 0) {
            return Set.of();
        }
        String query = text.substring(mark + 1).strip();
        Optional<String> type = typeBefore(text, mark);
        // a sentence has spaces and no parameter; HAPI searches for a parameter with a space in its value
        if (type.isEmpty() || query.indexOf(' ') >= 0 && query.indexOf('=') < 0) {
            return Set.of();
        }
        Set<FhirPermission> needs = new HashSet<>();
        needs.add(new FhirPermission('s', type.get()));
        try {
            needs.addAll(searches.of(type.get(), FhirQuery.decode(query, "reference"), "reference"));
        } catch (ProblemException e) {
            if (e.status() == BEYOND_LIMITS) {
                throw e;
            }
            // the server may read it in another way
            needs.add(new FhirPermission('s', "*"));
        }
        return needs;
    }

    private Optional<String> typeBefore(String text, int mark) {
        int end = mark;
        while (end > 0 && text.charAt(end - 1) == '/') {
            end--;
        }
        String type = text.substring(text.lastIndexOf('/', end - 1) + 1, end).strip();
        return type.length() > LONGEST_TYPE ? Optional.empty() : definitions.typeInAnyCase(type);
    }
}
