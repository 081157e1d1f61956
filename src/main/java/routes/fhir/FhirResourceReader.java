package routes.fhir;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.Set;
import java.util.function.Consumer;
import routes.platform.error.ProblemException;

/**
 * Finds in a body the parts that permissions depend on: type and id of each resource, the requests of a bundle, and
 * conditional references. Its memory does not grow with the body.
 */
final class FhirResourceReader implements FhirElements {

    static final int MAX_ENTRIES = 10_000;

    /** Elements that hold base64 or XHTML, and so no reference. */
    private static final Set<String> OPAQUE = Set.of("data", "valueBase64Binary", "div");

    private static final Set<String> OF_RESOURCE = Set.of("resourceType", "id", "contentType");
    private static final Set<String> OF_REQUEST = Set.of("method", "url", "ifNoneExist");

    private enum Role {
        RESOURCE,
        BUNDLE,
        ENTRY,
        ENTRY_RESOURCE,
        REQUEST,
        IN_RESOURCE,
        OTHER
    }

    private final Deque<Role> roles = new ArrayDeque<>();
    private final ConditionalReferences references;
    private final boolean isBundle;
    private final BitSet withData;
    private final Consumer<FhirBodyPart> entries;
    private final FhirBodyPart root;
    private FhirBodyPart part;
    private int count;

    private FhirResourceReader(
            ConditionalReferences references,
            boolean isBundle,
            String place,
            BitSet withData,
            Consumer<FhirBodyPart> entries) {
        this.references = references;
        this.isBundle = isBundle;
        this.withData = withData;
        this.entries = entries;
        this.root = new FhirBodyPart(place);
        this.part = root;
    }

    static FhirResourceReader ofResource(ConditionalReferences references) {
        return new FhirResourceReader(references, false, "body", new BitSet(), entry -> {});
    }

    /**
     * @param withData the numbers of the entries whose resource holds a patch in {@code data}
     * @param entries receives each entry at its end
     */
    static FhirResourceReader ofBundle(
            ConditionalReferences references, BitSet withData, Consumer<FhirBodyPart> entries) {
        return new FhirResourceReader(references, true, "Bundle", withData, entries);
    }

    /** The resource, or the bundle without its entries. */
    FhirBodyPart root() {
        return root;
    }

    @Override
    public void begin(String name, Place place) {
        Role parent = roles.peek();
        Role role = roleOf(name, parent);
        if (isKnown(parent, name)) {
            throw wrong(name, "must be a text");
        }
        requirePlace(role, name, place);
        switch (role) {
            case ENTRY -> beginEntry();
            case RESOURCE, ENTRY_RESOURCE -> part.beginResource();
            case REQUEST -> part.beginRequest();
            default -> {}
        }
        roles.push(role);
    }

    private Role roleOf(String name, Role parent) {
        if (parent == null) {
            return isBundle ? Role.BUNDLE : Role.RESOURCE;
        }
        if (isInResource(parent)) {
            return Role.IN_RESOURCE;
        }
        if (parent == Role.BUNDLE && name.equals("entry")) {
            return Role.ENTRY;
        }
        if (parent == Role.ENTRY && name.equals("resource")) {
            return Role.ENTRY_RESOURCE;
        }
        return parent == Role.ENTRY && name.equals("request") ? Role.REQUEST : Role.OTHER;
    }

    private void beginEntry() {
        if (count == MAX_ENTRIES) {
            throw new ProblemException(413, "Bundle: more than " + MAX_ENTRIES + " entries");
        }
        part = new FhirBodyPart("Bundle.entry[" + count++ + "]");
    }

    @Override
    public void value(String name, String text, Place place) {
        Role role = roles.peek();
        if (isKnown(role, name)) {
            if (place == Place.ITEM) {
                throw wrong(name, "must be a text");
            }
            part.put((role == Role.REQUEST ? "request." : role == Role.BUNDLE ? "" : "resource.") + name, text);
        } else if (role == Role.BUNDLE && name.equals("entry")) {
            throw wrong(name, "must be a list of entries");
        } else if (role == Role.ENTRY && (name.equals("resource") || name.equals("request"))) {
            throw wrong(name, "must be an object");
        } else if (text != null && isInResource(role) && !OPAQUE.contains(name)) {
            NumberLimits.requireText(text, part.place());
            part.need(references.needs(text));
        }
    }

    @Override
    public void end() {
        if (roles.pop() == Role.ENTRY) {
            entries.accept(part);
            part = root;
        }
    }

    @Override
    public boolean wants(String name) {
        return !OPAQUE.contains(name) || isKnown(roles.peek(), name);
    }

    private boolean isKnown(Role role, String name) {
        if (role == null) {
            return false;
        }
        return switch (role) {
            case BUNDLE -> name.equals("type") || name.equals("resourceType");
            case RESOURCE -> OF_RESOURCE.contains(name);
            case ENTRY_RESOURCE -> OF_RESOURCE.contains(name) || name.equals("data") && withData.get(count - 1);
            case REQUEST -> OF_REQUEST.contains(name);
            default -> false;
        };
    }

    private static boolean isInResource(Role role) {
        return role == Role.RESOURCE || role == Role.ENTRY_RESOURCE || role == Role.IN_RESOURCE;
    }

    private void requirePlace(Role role, String name, Place place) {
        if (role == Role.ENTRY && place == Place.SINGLE) {
            throw wrong(name, "must be a list of entries");
        }
        if ((role == Role.ENTRY_RESOURCE || role == Role.REQUEST) && place == Place.ITEM) {
            throw wrong(name, "must be an object");
        }
    }

    private ProblemException wrong(String name, String rule) {
        return new ProblemException(400, part.place() + ": " + name + " " + rule);
    }
}
