package routes.fhir;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.springframework.stereotype.Component;
import routes.fhir.FhirQuery.Parameter;
import routes.platform.error.ProblemException;

/**
 * Finds the types that a search reaches beyond its own, and the permission {@code s} that it needs for each. A search
 * tells of them by the resources that it includes, by its matches, or by their order.
 *
 * <p>An included resource needs {@code s} and not {@code r}: like a match, the server finds it, and the caller did not
 * name it. A parameter that may reach every type would also reach the closed one, so it is refused.
 */
@Component
class FhirSearchNeeds {

    private static final String ALL = "*";
    private static final int MAX_LINKS = 10;

    /** One more than an include has: type, parameter and target. */
    private static final int MAX_PARTS = 4;

    /** Page links have their own check; the others change the meaning of a search, or are further interactions. */
    private static final Set<String> CLOSED = Set.of("_filter", "_query", "_graphql", "_cascade", "_expunge");

    private static final String PAGING = "_getpages";
    private static final Pattern SMALL_PAGE = Pattern.compile("|0*(?:[0-9]{1,3}|1000)");

    /** Parameters that shape the answer, and select nothing. */
    private static final Set<String> SHAPES = Set.of("_format", "_pretty", "_summary", "_elements");

    /** Those parameters with an underscore that select resources: HAPI ignores others in a condition. */
    private static final Set<String> SELECTING =
            Set.of("_id", "_lastUpdated", "_tag", "_profile", "_security", "_source", "_has", "_list", "_language");

    private static final Set<String> MODIFIERS =
            Set.of("missing", "exact", "contains", "not", "text", "identifier", "of-type", "nickname");

    private final FhirDefinitions definitions;

    FhirSearchNeeds(FhirDefinitions definitions) {
        this.definitions = definitions;
    }

    /**
     * The permissions for other types.
     *
     * @param type of the search; null for all types
     * @throws ProblemException 403 for a closed parameter, 400 for one that cannot be read
     */
    Set<FhirPermission> of(String type, List<Parameter> parameters, String place) {
        Set<FhirPermission> needs = new HashSet<>();
        for (Parameter parameter : parameters) {
            requireOpen(parameter.name(), place);
            requireSmallPage(parameters, parameter, place);
            add(type == null ? Set.of() : Set.of(type), parameter, place, needs);
        }
        return needs;
    }

    /** Whether a parameter selects resources. A condition without one would match every resource of the type. */
    static boolean selects(Parameter parameter) {
        String name = base(parameter.name());
        return !parameter.value().isBlank() && (!name.startsWith("_") || SELECTING.contains(name));
    }

    /**
     * Whether a parameter leaves parts of the resources out. HAPI refuses some values of it after it has made the
     * change, with a status that tells of no change.
     */
    static boolean cutsTheAnswer(Parameter parameter) {
        return parameter.name().startsWith("_summary") || parameter.name().startsWith("_elements");
    }

    /** Whether a parameter only shapes the answer. */
    static boolean shapesTheAnswer(Parameter parameter) {
        return SHAPES.contains(parameter.name());
    }

    private static void requireOpen(String name, String place) {
        String known = base(name).toLowerCase(Locale.ROOT);
        if (known.startsWith(PAGING)) {
            throw new ProblemException(403, place + ": a page link works only as it was given");
        }
        if (CLOSED.contains(known)) {
            throw new ProblemException(403, place + ": parameter " + known + " is closed");
        }
    }

    /** HAPI limits the pages that it stores, and not those at an offset. */
    private static void requireSmallPage(List<Parameter> all, Parameter one, String place) {
        if (one.name().equals("_count")
                && !SMALL_PAGE.matcher(one.value()).matches()
                && all.stream().anyMatch(other -> base(other.name()).equals("_offset"))) {
            throw new ProblemException(400, place + ": _count must be at most 1000 with _offset");
        }
    }

    private void add(Set<String> types, Parameter parameter, String place, Set<FhirPermission> needs) {
        String base = base(parameter.name());
        switch (base) {
            case "_include" -> each(parameter, value -> include(value, place, needs));
            case "_revinclude" -> each(parameter, value -> reverseInclude(value, place, needs));
            case "_sort" -> each(parameter, value -> sort(types, value, place, needs));
            case "_type" -> each(parameter, value -> need(value, place, needs));
            case "_elements" -> {
                // shapes the answer; HAPI knows the modifier exclude
            }
            case "_list" -> need("List", place, needs);
            case "_in" -> throw reachesAllTypes(place);
            case "_contained" -> {
                if (!parameter.value().equals("false")) {
                    throw reachesAllTypes(place);
                }
            }
            default -> {
                End end = chain(types, parameter.name(), place, needs);
                if (end.types().stream().anyMatch(type -> definitions.isNumeric(type, base(end.name())))) {
                    NumberLimits.requireSearch(parameter.value(), place);
                }
            }
        }
    }

    /** The name without modifiers and chain. */
    private static String base(String name) {
        int end = 0;
        while (end < name.length() && name.charAt(end) != ':' && name.charAt(end) != '.') {
            end++;
        }
        return name.substring(0, end);
    }

    private static void each(Parameter parameter, Consumer<String> use) {
        String values = parameter.value();
        for (int start = 0; start <= values.length(); ) {
            int comma = values.indexOf(',', start);
            int end = comma < 0 ? values.length() : comma;
            use.accept(values.substring(start, end));
            start = end + 1;
        }
    }

    private void include(String value, String place, Set<FhirPermission> needs) {
        String[] parts = value.split(":", MAX_PARTS);
        if (parts.length == 3 && parts[1].equals("*")) {
            // HAPI follows every reference then, and looks at no target type
            throw reachesAllTypes(place);
        }
        if (parts.length == 3) {
            need(parts[2], place, needs);
        } else {
            targets(parts.length == 2 ? Set.of(parts[0]) : Set.of(), parts[parts.length - 1])
                    .orElseThrow(() -> reachesAllTypes(place))
                    .forEach(target -> need(target, place, needs));
        }
    }

    private void reverseInclude(String value, String place, Set<FhirPermission> needs) {
        String[] parts = value.split(":", MAX_PARTS);
        need(parts.length == 2 || parts.length == 3 ? parts[0] : ALL, place, needs);
    }

    /** HAPI writes the type before the parameter: {@code Patient:subject.name}. */
    private void sort(Set<String> types, String value, String place, Set<FhirPermission> needs) {
        String name = value.startsWith("-") ? value.substring(1) : value;
        int colon = name.indexOf(':');
        int dot = name.indexOf('.');
        if (colon >= 0 && dot > colon && definitions.isType(name.substring(0, colon))) {
            need(name.substring(0, colon), place, needs);
            chain(Set.of(name.substring(0, colon)), name.substring(dot + 1), place, needs);
        } else {
            chain(types, name, place, needs);
        }
    }

    /** The parameter at the end of a chain, and the types that may have it. */
    private record End(Set<String> types, String name) {}

    /** Follows the name of a parameter from type to type: {@code _has:Observation:subject:device.type}. */
    private End chain(Set<String> start, String parameter, String place, Set<FhirPermission> needs) {
        Set<String> types = start;
        String name = parameter;
        for (int links = 0; ; links++) {
            if (links > MAX_LINKS) {
                throw new ProblemException(400, place + ": a parameter has more than " + MAX_LINKS + " links");
            }
            int dot = name.indexOf('.');
            if (name.startsWith("_has:")) {
                String[] parts = name.split(":", 4);
                if (parts.length < 4) {
                    throw new ProblemException(400, place + ": _has must be _has:Type:reference:parameter");
                }
                need(parts[1], place, needs);
                types = Set.of(parts[1]);
                name = parts[3];
            } else if (dot >= 0) {
                types = targets(types, name.substring(0, dot)).orElseThrow(() -> reachesAllTypes(place));
                types.forEach(type -> need(type, place, needs));
                name = name.substring(dot + 1);
            } else {
                modifier(types, name, place, needs);
                return new End(types, name);
            }
        }
    }

    private void modifier(Set<String> types, String name, String place, Set<FhirPermission> needs) {
        int colon = name.indexOf(':');
        String modifier = colon < 0 ? "" : name.substring(colon + 1);
        switch (modifier) {
            case "in", "not-in" -> {
                // the matches tell which codes are in the set, and so what is in its code systems
                need("ValueSet", place, needs);
                need("CodeSystem", place, needs);
            }
            case "above", "below" -> hierarchy(types, name.substring(0, colon), place, needs);
            default -> {
                if (colon >= 0 && !MODIFIERS.contains(modifier) && !definitions.isType(modifier)) {
                    needs.add(new FhirPermission('s', ALL));
                }
            }
        }
    }

    /** The server compares URIs as texts, and looks for parents of codes and of resources. */
    private void hierarchy(Set<String> types, String name, String place, Set<FhirPermission> needs) {
        for (String type : types) {
            if (definitions.isReference(type, name)) {
                targets(Set.of(type), name)
                        .orElseThrow(() -> reachesAllTypes(place))
                        .forEach(target -> need(target, place, needs));
            } else if (!definitions.isUri(type, name) && !name.equals("_profile") && !name.equals("_source")) {
                need("CodeSystem", place, needs);
            }
        }
    }

    /** @param reference such as {@code subject} or {@code subject:Patient} */
    private Optional<Set<String>> targets(Set<String> types, String reference) {
        int colon = reference.indexOf(':');
        if (colon >= 0) {
            String type = reference.substring(colon + 1);
            return definitions.isType(type) ? Optional.of(Set.of(type)) : Optional.empty();
        }
        Set<String> targets = new TreeSet<>();
        for (String type : types) {
            Optional<Set<String>> some = definitions.targets(type, reference);
            if (some.isEmpty()) {
                return Optional.empty();
            }
            targets.addAll(some.get());
        }
        return targets.isEmpty() ? Optional.empty() : Optional.of(targets);
    }

    private void need(String type, String place, Set<FhirPermission> needs) {
        if (!definitions.isType(type)) {
            throw reachesAllTypes(place);
        }
        needs.add(new FhirPermission('s', type));
    }

    private static ProblemException reachesAllTypes(String place) {
        return new ProblemException(
                403, place + ": a parameter may reach every type, also a closed one; name the types that it reaches");
    }
}
