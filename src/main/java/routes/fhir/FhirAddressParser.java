package routes.fhir;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.stereotype.Component;
import routes.fhir.FhirAddress.Form;
import routes.platform.error.ProblemException;

/** Reads the path of a URL strictly: the forms of FHIR's REST API and no other spelling of them. */
@Component
class FhirAddressParser {

    /** Never a dot segment, which a server may resolve. */
    private static final Pattern ID = Pattern.compile("(?!\\.{1,2}$)[A-Za-z0-9.-]{1,64}");

    private static final Set<String> COMPARTMENTS =
            Set.of("Device", "Encounter", "Patient", "Practitioner", "RelatedPerson");

    private static final Pattern OPERATION = Pattern.compile("\\$[A-Za-z0-9.-]{1,64}");

    private final FhirDefinitions definitions;

    FhirAddressParser(FhirDefinitions definitions) {
        this.definitions = definitions;
    }

    /**
     * @param path decoded segments
     * @throws ProblemException 404 for a path of another form
     */
    FhirAddress parse(List<String> path, String place) {
        FhirAddress address = null;
        if (path.isEmpty() || path.equals(List.of("_search"))) {
            address = new FhirAddress(Form.SYSTEM, null, null, null);
        } else if (OPERATION.matcher(last(path)).matches()) {
            address = operation(path);
        } else if (path.size() == 1 && path.get(0).equals("metadata")) {
            address = new FhirAddress(Form.METADATA, null, null, null);
        } else if (path.size() == 1 && path.get(0).equals("_history")) {
            address = new FhirAddress(Form.SYSTEM_HISTORY, null, null, null);
        } else if (definitions.isType(path.get(0))) {
            address = ofType(path);
        }
        if (address == null) {
            throw new ProblemException(404, place + "the path is none of a FHIR R4 server");
        }
        return address;
    }

    private FhirAddress operation(List<String> path) {
        boolean isOfType = path.size() <= 3 && (path.size() == 1 || definitions.isType(path.get(0)));
        boolean isOfInstance = path.size() == 3 && ID.matcher(path.get(1)).matches();
        return !isOfType || path.size() == 3 && !isOfInstance
                ? null
                : new FhirAddress(
                        Form.OPERATION,
                        path.size() == 1 ? null : path.get(0),
                        isOfInstance ? path.get(1) : null,
                        last(path));
    }

    private FhirAddress ofType(List<String> path) {
        String type = path.get(0);
        if (path.size() == 1) {
            return new FhirAddress(Form.TYPE, type, null, null);
        }
        String second = path.get(1);
        if (path.size() == 2 && second.equals("_search")) {
            return new FhirAddress(Form.SEARCH, type, null, null);
        }
        if (path.size() == 2 && second.equals("_history")) {
            return new FhirAddress(Form.TYPE_HISTORY, type, null, null);
        }
        return ID.matcher(second).matches() ? ofInstance(type, second, path.subList(2, path.size())) : null;
    }

    private FhirAddress ofInstance(String type, String id, List<String> rest) {
        if (rest.isEmpty()) {
            return new FhirAddress(Form.INSTANCE, type, id, null);
        }
        if (rest.get(0).equals("_history")) {
            return switch (rest.size()) {
                case 1 -> new FhirAddress(Form.INSTANCE_HISTORY, type, id, null);
                case 2 -> ID.matcher(rest.get(1)).matches() ? new FhirAddress(Form.VERSION, type, id, null) : null;
                default -> null;
            };
        }
        if (!COMPARTMENTS.contains(type)
                || rest.size() > 2
                || rest.size() == 2 && !rest.get(1).equals("_search")) {
            return null;
        }
        Form form = rest.size() == 1 ? Form.COMPARTMENT : Form.SEARCH;
        String found = rest.get(0);
        if (found.equals("*") && form == Form.COMPARTMENT) {
            return new FhirAddress(form, null, id, null);
        }
        return definitions.isType(found) ? new FhirAddress(form, found, id, null) : null;
    }

    private static String last(List<String> path) {
        return path.get(path.size() - 1);
    }
}
