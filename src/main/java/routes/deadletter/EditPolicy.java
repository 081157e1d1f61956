package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.UuidText;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.contract.WritePermission;
import routes.platform.error.ProblemException;

/**
 * Decides which changes an edit may make. The payload and the time are free. Principal, type, id and key stay.
 * Otherwise the event becomes the operator's own, which requires the operator's name and scope.
 */
@Component
class EditPolicy {

    private static final int MAX_PROBLEMS = 10;

    private static final String METADATA = "/metadata";
    private static final String SECURITY = METADATA + "/security";
    private static final String USER = "/userId";

    /** Compared even when the edit removes them. */
    private static final Set<String> KNOWN_OF_METADATA = Set.of("security", "eventType", "eventSource");

    private static final Set<String> KNOWN_OF_FLAT = Set.of("userId", "commandType", "eventType", "aggregateId");

    private static final Set<String> FREE_OF_METADATA = Set.of("timestamp", "version");
    private static final Set<String> FREE_OF_ENVELOPE = Set.of("metadata", "payload");
    private static final Set<String> FREE_OF_FLAT = Set.of("timestamp", "payload");

    /** References to other events. */
    private static final Set<String> REFERENCES =
            Set.of(METADATA + "/correlationId", METADATA + "/causationId", "/commandId", "/sagaId", "/payload/sagaId");

    private final AsyncApi contract;
    private final ValueCodec values;

    EditPolicy(AsyncApi contract, ValueCodec values) {
        this.contract = contract;
        this.values = values;
    }

    /**
     * @param edited the dead letter with its new value
     * @param original the value before the edit
     * @throws ProblemException 400 when consumers cannot read the new value, or it names another principal, type, id or
     *     key. 409 when the topic is not in the contract. 403 when the caller may not write it in their own name
     * @throws RegistryUnavailableException when only the registry can tell how to read the original
     */
    void check(StoredDeadLetter edited, byte[] original, Caller caller) throws RegistryUnavailableException {
        Channel channel = contract.channel(edited.topic())
                .orElseThrow(() -> new ProblemException(409, "the original topic is not in the contract"));
        ValueCodec.Decoded decoded =
                values.decode(edited.value(), edited.topic(), ValueCodec.headersAsText(edited.headers()));
        if (!decoded.problems().isEmpty()) {
            throw new ProblemException(
                    400, decoded.problems().stream().limit(MAX_PROBLEMS).collect(Collectors.joining("; ")));
        }
        if (!decoded.metadata().tenant().equals(edited.tenant())) {
            throw new ProblemException(400, SECURITY + "/tenant: differs from the dead letter");
        }
        JsonNode before = values.readWhole(original, edited.topic());
        JsonNode identity = values.readIdentity(original, edited.topic());
        JsonNode after = decoded.json();
        String id =
                channel.isEnveloped() ? METADATA + "/eventId" : after.has("commandType") ? "/commandId" : "/eventId";
        requireKey(channel.keyPointer(), identity, after, edited.key());
        requireSameId(id, identity, after);
        Optional<String> changed = compared(channel, after)
                .filter(place -> !place.equals(id) && !place.equals(channel.keyPointer()))
                .filter(place ->
                        !isSame(before.at(place), after.at(place)) && !isUnusableReference(place, before.at(place)))
                .findFirst();
        if (changed.isPresent()) {
            String why = before.isMissingNode()
                    ? "the dead letter cannot be read"
                    : place(changed.get()) + ": differs from the dead letter";
            requireOwn(why, after, channel, edited.tenant(), caller);
            requireWritable(channel.writePermission(), decoded.metadata().eventType(), edited.tenant(), caller);
        }
    }

    private static Stream<String> compared(Channel channel, JsonNode after) {
        Stream<String> fields = channel.isEnveloped()
                ? Stream.concat(
                        fields(METADATA, after.path("metadata"), KNOWN_OF_METADATA, FREE_OF_METADATA),
                        fields("", after, Set.of(), FREE_OF_ENVELOPE))
                : fields("", after, KNOWN_OF_FLAT, FREE_OF_FLAT);
        return Stream.concat(fields, REFERENCES.stream().sorted()).distinct();
    }

    private static Stream<String> fields(String in, JsonNode node, Set<String> known, Set<String> free) {
        Set<String> names = new TreeSet<>(known);
        node.fieldNames().forEachRemaining(names::add);
        return names.stream()
                .filter(name -> !free.contains(name))
                .map(name -> in + "/" + name.replace("~", "~0").replace("/", "~1"));
    }

    /** The key field must stay, or become the key of the record. */
    private static void requireKey(String pointer, JsonNode before, JsonNode after, byte[] key) {
        if (pointer.isEmpty() || isSame(before.at(pointer), after.at(pointer))) {
            return;
        }
        boolean keyOfRecord = key == null
                ? before.isMissingNode()
                : after.at(pointer).isTextual()
                        && after.at(pointer).textValue().equals(new String(key, StandardCharsets.UTF_8));
        if (!keyOfRecord) {
            throw new ProblemException(400, pointer + ": is not the key of the record");
        }
    }

    /** Another id would make a second event. An id that no consumer accepts may be replaced. */
    private static void requireSameId(String id, JsonNode before, JsonNode after) {
        if (before.isMissingNode()) {
            return;
        }
        String known = EventIdentity.idOrEmpty(before.at(id).textValue())
                .map(UuidText::normal)
                .orElse("");
        boolean isId =
                !known.isEmpty() && !UuidText.isNilOrMax(known) && (id.equals("/commandId") || UuidText.isUuid(known));
        if (isId && !known.equals(UuidText.normal(after.at(id).textValue()))) {
            throw new ProblemException(400, id + ": differs from the dead letter");
        }
    }

    /** A reference that no consumer accepts may be repaired. */
    private static boolean isUnusableReference(String place, JsonNode before) {
        return REFERENCES.contains(place)
                && isPresent(before)
                && EventIdentity.idOrEmpty(before.textValue()).isEmpty();
    }

    /** Allows no principal except the original one and the operator who edits. */
    private static void requireOwn(String why, JsonNode after, Channel channel, String tenant, Caller caller) {
        foreignField(after, channel, tenant, caller).ifPresent(place -> {
            throw new ProblemException(400, why + ", and " + place + " is not yours");
        });
    }

    /** Does not repeat the name of an unknown field: it may hold patient data. */
    private static String place(String changed) {
        String name = changed.substring(changed.lastIndexOf('/') + 1);
        return KNOWN_OF_METADATA.contains(name) || KNOWN_OF_FLAT.contains(name) || REFERENCES.contains(changed)
                ? changed
                : "a field next to " + (changed.startsWith(METADATA + "/") ? SECURITY : "/payload");
    }

    private static Optional<String> foreignField(JsonNode after, Channel channel, String tenant, Caller caller) {
        if (!channel.isEnveloped()) {
            return isText(after.at(USER), caller.principal()) ? Optional.empty() : Optional.of(USER);
        }
        JsonNode security = after.at(SECURITY);
        if (!isText(security.path("principal"), caller.principal())) {
            return Optional.of(SECURITY + "/principal");
        }
        return foreignField(SECURITY, security, Map.of("principal", caller.principal(), "tenant", tenant), "claims")
                .or(() -> foreignField(
                        SECURITY + "/claims", security.path("claims"), Map.of("tenant", tenant, "scope", ""), ""));
    }

    /** @param own the required texts by field; every other field must be empty */
    private static Optional<String> foreignField(
            String in, JsonNode node, Map<String, String> own, String checkedElsewhere) {
        return node.properties().stream()
                .filter(field -> !field.getKey().equals(checkedElsewhere) && isPresent(field.getValue()))
                .filter(field -> !isText(field.getValue(), own.get(field.getKey())))
                .findFirst()
                .map(field -> own.containsKey(field.getKey()) ? in + "/" + field.getKey() : in);
    }

    private static void requireWritable(WritePermission write, String type, String tenant, Caller caller) {
        if (!caller.homeTenant().equals(tenant)) {
            throw new ProblemException(403, "an edit in your own name is for your own tenant only");
        }
        if (write == null) {
            throw new ProblemException(403, "no caller can write to this topic in their own name");
        }
        if (!write.allows(caller, type)) {
            throw new ProblemException(
                    403,
                    "an edit in your own name needs the scope " + write.scope()
                            + (write.types().isEmpty()
                                    ? ""
                                    : " and one of the types "
                                            + write.types().stream().sorted().collect(Collectors.joining(", "))));
        }
    }

    private static boolean isText(JsonNode node, String text) {
        return node.isTextual() && node.textValue().equals(text);
    }

    private static boolean isSame(JsonNode before, JsonNode after) {
        return isPresent(before) ? before.equals(after) : !isPresent(after);
    }

    private static boolean isPresent(JsonNode node) {
        return !node.isMissingNode() && !node.isNull();
    }
}
