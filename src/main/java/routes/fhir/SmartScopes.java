package routes.fhir;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The system scopes of SMART App Launch 2 in a token, such as {@code system/Patient.cruds} and {@code system/*.rs}.
 * Every other scope grants nothing here: those of version 1, of a patient or a user, and those with search parameters.
 *
 * @see <a href="https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html">SMART scopes</a>
 */
final class SmartScopes {

    private static final String LETTERS = "cruds";
    private static final Pattern SCOPE = Pattern.compile("system/(\\*|[A-Z][A-Za-z]*)\\.(?=.)(c?r?u?d?s?)");

    private final Map<String, String> lettersByType = new TreeMap<>();

    /** @param scopes of a token, of any kind */
    SmartScopes(Collection<String> scopes) {
        for (String scope : scopes) {
            Matcher system = SCOPE.matcher(scope);
            if (system.matches()) {
                lettersByType.merge(system.group(1), system.group(2), String::concat);
            }
        }
    }

    /** Whether no scope of the token is one of these. */
    boolean isEmpty() {
        return lettersByType.isEmpty();
    }

    boolean grants(FhirPermission permission) {
        return grants(permission.letter(), permission.type()) || grants(permission.letter(), "*");
    }

    private boolean grants(char letter, String type) {
        return lettersByType.getOrDefault(type, "").indexOf(letter) >= 0;
    }

    /** The scopes that grant these permissions, one for each type, in the order of the types. */
    static List<String> granting(Collection<FhirPermission> permissions) {
        Map<String, TreeSet<Integer>> needed = new TreeMap<>();
        for (FhirPermission permission : permissions) {
            needed.computeIfAbsent(permission.type(), type -> new TreeSet<>())
                    .add(LETTERS.indexOf(permission.letter()));
        }
        List<String> scopes = new ArrayList<>();
        needed.forEach((type, letters) -> {
            StringBuilder scope = new StringBuilder("system/").append(type).append('.');
            letters.forEach(letter -> scope.append(LETTERS.charAt(letter)));
            scopes.add(scope.toString());
        });
        return scopes;
    }
}
