package routes.fhir;

import ca.uhn.fhir.context.RuntimeSearchParam;
import ca.uhn.fhir.rest.api.RestSearchParameterTypeEnum;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.springframework.stereotype.Component;
import routes.platform.fhir.FhirModel;

/** Knows the resource types of FHIR R4, and the types that a search parameter refers to. */
@Component
class FhirDefinitions {

    private static final Set<RestSearchParameterTypeEnum> NUMERIC = EnumSet.of(
            RestSearchParameterTypeEnum.NUMBER,
            RestSearchParameterTypeEnum.QUANTITY,
            RestSearchParameterTypeEnum.COMPOSITE);

    private final FhirModel model;

    /** The types by their names in lower case; null until the first question. */
    private volatile Map<String, String> types;

    FhirDefinitions(FhirModel model) {
        this.model = model;
    }

    /** Reads the model late: it loads after the start. */
    private Map<String, String> types() {
        if (types == null) {
            Map<String, String> names = new HashMap<>();
            model.r4().getResourceTypes().forEach(type -> names.put(type.toLowerCase(Locale.ROOT), type));
            types = names;
        }
        return types;
    }

    boolean isType(String name) {
        return name.equals(types().get(name.toLowerCase(Locale.ROOT)));
    }

    /** The type of that name in any case, because HAPI reads references so. */
    Optional<String> typeInAnyCase(String name) {
        return Optional.ofNullable(types().get(name.toLowerCase(Locale.ROOT)));
    }

    /** The types that a reference parameter leads to; empty when that is not known, or when it leads to all. */
    Optional<Set<String>> targets(String type, String parameter) {
        return Optional.ofNullable(search(type, parameter))
                .map(RuntimeSearchParam::getTargets)
                .filter(targets -> !targets.isEmpty()
                        && targets.size() < types().size()
                        && targets.stream().allMatch(this::isType))
                .map(Set::copyOf);
    }

    boolean isReference(String type, String parameter) {
        return isOf(RestSearchParameterTypeEnum.REFERENCE, type, parameter);
    }

    boolean isUri(String type, String parameter) {
        return isOf(RestSearchParameterTypeEnum.URI, type, parameter);
    }

    private boolean isOf(RestSearchParameterTypeEnum kind, String type, String parameter) {
        RuntimeSearchParam known = search(type, parameter);
        return known != null && known.getParamType() == kind;
    }

    /** Whether a search by that parameter compares numbers, so that the server reads its values as such. */
    boolean isNumeric(String type, String parameter) {
        RuntimeSearchParam known = search(type, parameter);
        return known != null && NUMERIC.contains(known.getParamType());
    }

    private RuntimeSearchParam search(String type, String parameter) {
        return isType(type) ? model.r4().getResourceDefinition(type).getSearchParam(parameter) : null;
    }
}
