package routes.fhir;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.fhir.FhirAddress.Form;
import routes.fhir.FhirContent.Kind;
import routes.fhir.FhirQuery.Parameter;
import routes.platform.error.ProblemException;

/**
 * Decides which permissions an interaction needs, and refuses what is closed. The same rules hold for a request and for
 * an entry of a bundle.
 */
@Component
class FhirRules {

    /** A subscription sends data out, and shows the credentials for its endpoint. */
    private static final String CLOSED_TYPE = "Subscription";

    /** Changes what the searches of every type reach, so a write of it needs the permission for all types. */
    private static final String OF_ALL_TYPES = "SearchParameter";

    private final FhirSearchNeeds searches;
    private final Set<String> operations;

    /** @param operations the open ones; each needs {@code r}, so it must change nothing */
    FhirRules(FhirSearchNeeds searches, @Value("${event-broker.fhir.operations}") List<String> operations) {
        this.searches = searches;
        this.operations = Set.copyOf(operations);
    }

    /**
     * One interaction, before its permissions are known.
     *
     * @param place begins the text of an error; empty for the request itself
     * @param method such as GET
     * @param query of the URL and of the form
     * @param condition of a conditional create, or null
     */
    record Call(
            String place,
            String method,
            FhirAddress address,
            List<Parameter> query,
            List<Parameter> condition,
            FhirContent content) {

        private String type() {
            return address.type();
        }

        private boolean isRead() {
            return method.equals("GET") || method.equals("HEAD");
        }

        private ProblemException refused(int status, String error) {
            return new ProblemException(status, place + error);
        }
    }

    /**
     * Refuses what needs no body to be refused.
     *
     * @throws ProblemException 403 when it is closed, 405 with the methods that the path takes
     */
    void requireOpen(String place, String method, FhirAddress address) {
        if (address.operation() != null && !operations.contains(address.operation())) {
            throw new ProblemException(403, place + "the operation is closed");
        }
        requireOpenType(place, address.type());
        if (!address.form().takes(method)) {
            throw new MethodNotAllowed(place, address.form().methods());
        }
        boolean isOfAllTypes = address.form() == Form.COMPARTMENT && address.type() == null;
        if (address.form() == Form.SYSTEM_HISTORY || isOfAllTypes) {
            throw new ProblemException(403, place + "the history or the compartment of all types is closed");
        }
    }

    private static void requireOpenType(String place, String type) {
        if (CLOSED_TYPE.equals(type)) {
            throw new ProblemException(403, place + CLOSED_TYPE + " is closed");
        }
    }

    /** @throws ProblemException 400, 403, 405 or 415 */
    FhirInteraction decide(Call call) {
        requireOpen(call.place(), call.method(), call.address());
        if (call.condition() != null && !isCreate(call)) {
            throw call.refused(400, "only a create takes ifNoneExist");
        }
        Set<FhirPermission> needs = new HashSet<>(call.content().needs());
        needs.addAll(searches.of(call.type(), call.query(), call.place() + "query"));
        needs.addAll(needsOfUrl(call.method(), call.address()));
        if (call.address().form() == Form.SYSTEM) {
            throw call.refused(403, "a search of all types is closed");
        }
        boolean isWrite = call.address().form().isOfResources() && !call.isRead();
        if (isWrite) {
            needs.addAll(ofConditions(call));
        }
        requireContent(call);
        needs.forEach(need -> requireOpenType(call.place(), need.type()));
        return new FhirInteraction(call.method(), call.type(), resourceId(call.address()), isWrite, Set.copyOf(needs));
    }

    /**
     * The interaction of a page link.
     *
     * @param includes its parameters that reach other types
     * @param needs the permissions of the search
     */
    FhirInteraction page(List<Parameter> includes, Set<FhirPermission> needs) {
        Set<FhirPermission> all = new HashSet<>(needs);
        all.addAll(searches.of(null, includes, "query"));
        return new FhirInteraction("GET", null, null, false, Set.copyOf(all));
    }

    private static boolean isCreate(Call call) {
        return call.address().form() == Form.TYPE && call.method().equals("POST");
    }

    private static String resourceId(FhirAddress address) {
        return address.form() == Form.COMPARTMENT || address.form() == Form.SEARCH ? null : address.id();
    }

    /** The permissions that method and path need alone. */
    static Set<FhirPermission> needsOfUrl(String method, FhirAddress address) {
        boolean isRead = method.equals("GET") || method.equals("HEAD");
        boolean isOfType = address.form() == Form.TYPE;
        String letters =
                switch (address.form()) {
                    case TYPE_HISTORY, COMPARTMENT, SEARCH -> "s";
                    case INSTANCE_HISTORY, VERSION, OPERATION -> "r";
                    case TYPE, INSTANCE -> isRead ? isOfType ? "s" : "r" : ofWrite(method, isOfType);
                    case SYSTEM, SYSTEM_HISTORY, METADATA -> "";
                };
        boolean isOfAllTypes = address.type() == null
                || address.type().equals(OF_ALL_TYPES) && address.form().isOfResources() && !isRead;
        String type = isOfAllTypes ? "*" : address.type();
        return letters.chars()
                .mapToObj(letter -> new FhirPermission((char) letter, type))
                .collect(Collectors.toSet());
    }

    /** A patch tells whether its tests and paths match, so it reads. */
    private static String ofWrite(String method, boolean isConditional) {
        return switch (method) {
            case "POST" -> "c";
            case "PUT" -> isConditional ? "cus" : "u";
            case "PATCH" -> isConditional ? "rus" : "ru";
            default -> isConditional ? "ds" : "d";
        };
    }

    /** The permissions of a write for its conditions. */
    private Set<FhirPermission> ofConditions(Call call) {
        if (call.query().stream().anyMatch(FhirSearchNeeds::cutsTheAnswer)) {
            throw call.refused(400, "query: a write takes no _summary and no _elements");
        }
        boolean isConditional = call.address().form() == Form.TYPE;
        if (isConditional && !isCreate(call)) {
            requireSelection(call, call.query());
        } else if (!call.query().stream().allMatch(FhirSearchNeeds::shapesTheAnswer)) {
            throw call.refused(400, "query: this interaction takes no condition");
        }
        if (call.condition() == null) {
            return Set.of();
        }
        requireSelection(call, call.condition());
        Set<FhirPermission> needs =
                new HashSet<>(searches.of(call.type(), call.condition(), call.place() + "ifNoneExist"));
        needs.add(new FhirPermission('s', call.type().equals(OF_ALL_TYPES) ? "*" : call.type()));
        return needs;
    }

    /** A condition that selects nothing would match every resource. */
    private static void requireSelection(Call call, List<Parameter> condition) {
        if (condition.stream().noneMatch(FhirSearchNeeds::selects)) {
            throw call.refused(400, "the condition has no search parameter");
        }
    }

    private static void requireContent(Call call) {
        FhirContent content = call.content();
        boolean isSearch = call.address().form() == Form.SEARCH;
        boolean isOperation = call.address().form() == Form.OPERATION;
        switch (call.method()) {
            case "POST" -> {
                if (isSearch) {
                    require(content.kind() == Kind.FORM || content.kind() == Kind.NONE, call, "a form");
                } else if (!isOperation || content.kind() != Kind.NONE) {
                    require(content.kind() == Kind.RESOURCE, call, "a resource");
                    requireType(call, isOperation);
                }
            }
            case "PUT" -> {
                require(content.kind() == Kind.RESOURCE, call, "a resource");
                requireType(call, false);
                String id = call.address().id();
                if (id != null && content.id() != null && !id.equals(content.id())) {
                    throw call.refused(400, "the resource has another id than the URL");
                }
            }
            case "PATCH" -> {
                if (content.kind() == Kind.RESOURCE) {
                    throw call.refused(400, "a patch in the form of a resource must be Parameters");
                }
                require(content.kind() == Kind.PATCH, call, "a patch");
            }
            default -> {
                if (content.kind() != Kind.NONE) {
                    throw call.refused(400, "this interaction takes no body");
                }
            }
        }
    }

    private static void require(boolean isExpected, Call call, String expected) {
        if (!isExpected) {
            boolean isEntry = !call.place().isEmpty();
            boolean isMissing = call.content().kind() == Kind.NONE;
            throw call.refused(isEntry || isMissing ? 400 : 415, "the body must be " + expected);
        }
    }

    private static void requireType(Call call, boolean isOperation) {
        String type = call.content().type();
        boolean isParameters = isOperation && "Parameters".equals(type);
        if (!isParameters && (call.type() == null ? !isOperation : !call.type().equals(type))) {
            throw call.refused(400, "the resource has another type than the URL");
        }
    }
}
