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
 * What may be changed of a record that is sent again: what has happened, its time, and what cannot be read. Who says it, of what type it is
 * and what it is about stay, or the whole is the operator's own.
 */
@Component
class EditPolicy {

    private static final int MAX_PROBLEMS = 10;

    private static final String METADATA = "/metadata";
    private static final String SECURITY = METADATA + "/security";
    private static final String USER = "/userId";

    /** Compared also where the edit leaves them away. */
    private static final Set<String> KNOWN_OF_METADATA = Set.of("security", "eventType", "eventSource");

    private static final Set<String> KNOWN_OF_FLAT = Set.of("userId", "commandType", "eventType", "aggregateId");

    private static final Set<String> FREE_OF_METADATA = Set.of("timestamp", "version");
    private static final Set<String> FREE_OF_ENVELOPE = Set.of("metadata", "payload");
    private static final Set<String> FREE_OF_FLAT = Set.of("timestamp", "payload");

    /** What an event belongs to. */
    private static final Set<String> LINKS =
            Set.of(METADATA + "/correlationId", METADATA + "/causationId", "/commandId", "/sagaId", "/payload/sagaId");

    private final AsyncApi contract;
    private final ValueCodec values;

    EditPolicy(AsyncApi contract, ValueCodec values) {
        this.contract = contract;
        this.values = values;
    }

    /**
     * @param edited the letter with its new value
     * @param original the value before
     * @throws ProblemException 400 when the new value is not what consumers can read, or says of whom or of what somebody else's does; 409 when nobody knows its topic; 403 when
     *     the caller may not write it in their own name
     * @throws RegistryUnavailableException when the value before cannot be read until the registry answers
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
            throw new ProblemException(400, SECURITY + "/tenant: is not that of the dead letter");
        }
        JsonNode before = values.readWhole(original, edited.topic());
        JsonNode identity = values.readIdentity(original, edited.topic());
        JsonNode after = decoded.json();
        String id =
                channel.isEnveloped() ? METADATA + "/eventId" : after.has("commandType") ? "/commandId" : "/eventId";
        requireTarget(channel.keyPointer(), identity, after, edited.key());
        requireSame(id, identity, after);
        Optional<String> changed = compared(channel, after)
                .filter(place -> !place.equals(id) && !place.equals(channel.keyPointer()))
                .filter(place -> !isSame(before.at(place), after.at(place)) && !isUselessLink(place, before.at(place)))
                .findFirst();
        if (changed.isPresent()) {
            String why = before.isMissingNode()
                    ? "the dead letter cannot be read"
                    : place(changed.get()) + ": is not that of the dead letter";
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
        return Stream.concat(fields, LINKS.stream().sorted()).distinct();
    }

    private static Stream<String> fields(String in, JsonNode node, Set<String> known, Set<String> free) {
        Set<String> names = new TreeSet<>(known);
        node.fieldNames().forEachRemaining(names::add);
        return names.stream()
                .filter(name -> !free.contains(name))
                .map(name -> in + "/" + name.replace("~", "~0").replace("/", "~1"));
    }

    /** A key that is not known says nothing; then the field stays. */
    private static void requireTarget(String pointer, JsonNode before, JsonNode after, byte[] key) {
        if (pointer.isEmpty() || isSame(before.at(pointer), after.at(pointer))) {
            return;
        }
        boolean ofTheRecord = key == null
                ? before.isMissingNode()
                : after.at(pointer).isTextual()
                        && after.at(pointer).textValue().equals(new String(key, StandardCharsets.UTF_8));
        if (!ofTheRecord) {
            throw new ProblemException(400, pointer + ": is not the key of the record");
        }
    }

    /** With another id it would be a second event. One that no consumer takes is no id. */
    private static void requireSame(String id, JsonNode before, JsonNode after) {
        if (before.isMissingNode()) {
            return;
        }
        String known = EventIdentity.idOrEmpty(before.at(id).textValue())
                .map(UuidText::normal)
                .orElse("");
        boolean isId =
                !known.isEmpty() && !UuidText.isNilOrMax(known) && (id.equals("/commandId") || UuidText.isUuid(known));
        if (isId && !known.equals(UuidText.normal(after.at(id).textValue()))) {
            throw new ProblemException(400, id + ": is not that of the dead letter");
        }
    }

    /** One that no consumer takes may be mended. */
    private static boolean isUselessLink(String place, JsonNode before) {
        return LINKS.contains(place)
                && isSaid(before)
                && EventIdentity.idOrEmpty(before.textValue()).isEmpty();
    }

    /** Who is behind an event is what the record said, or the operator who edits it: nobody else's name can be put there. */
    private static void requireOwn(String why, JsonNode after, Channel channel, String tenant, Caller caller) {
        notOwn(after, channel, tenant, caller).ifPresent(place -> {
            throw new ProblemException(400, why + ", and " + place + " is not yours");
        });
    }

    /** The name of a field that nobody knows is not repeated. */
    private static String place(String changed) {
        String name = changed.substring(changed.lastIndexOf('/') + 1);
        return KNOWN_OF_METADATA.contains(name) || KNOWN_OF_FLAT.contains(name) || LINKS.contains(changed)
                ? changed
                : "a field beside " + (changed.startsWith(METADATA + "/") ? SECURITY : "/payload");
    }

    private static Optional<String> notOwn(JsonNode after, Channel channel, String tenant, Caller caller) {
        if (!channel.isEnveloped()) {
            return isText(after.at(USER), caller.principal()) ? Optional.empty() : Optional.of(USER);
        }
        JsonNode security = after.at(SECURITY);
        if (!isText(security.path("principal"), caller.principal())) {
            return Optional.of(SECURITY + "/principal");
        }
        return notOwn(SECURITY, security, Map.of("principal", caller.principal(), "tenant", tenant), "claims")
                .or(() -> notOwn(
                        SECURITY + "/claims", security.path("claims"), Map.of("tenant", tenant, "scope", ""), ""));
    }

    /** @param own what fields say, where they say something; others say nothing */
    private static Optional<String> notOwn(String in, JsonNode node, Map<String, String> own, String checkedApart) {
        return node.properties().stream()
                .filter(field -> !field.getKey().equals(checkedApart) && isSaid(field.getValue()))
                .filter(field -> !isText(field.getValue(), own.get(field.getKey())))
                .findFirst()
                .map(field -> own.containsKey(field.getKey()) ? in + "/" + field.getKey() : in);
    }

    private static void requireWritable(WritePermission write, String type, String tenant, Caller caller) {
        if (!caller.homeTenant().equals(tenant)) {
            throw new ProblemException(403, "an edit in your own name is for your own tenant only");
        }
        if (write == null) {
            throw new ProblemException(403, "nobody writes to this topic in their own name");
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
        return isSaid(before) ? before.equals(after) : !isSaid(after);
    }

    private static boolean isSaid(JsonNode node) {
        return !node.isMissingNode() && !node.isNull();
    }
}
