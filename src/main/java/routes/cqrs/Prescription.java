package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;
import routes.platform.Json;
import routes.platform.contract.EventSchema;

/**
 * A prescription as commands have made it, and the rules by which they do: no clock and no database here.
 *
 * @param content what is shown of it: the fields of {@code schemas/prescription.json} and any others that were sent, with {@code id},
 *     {@code status}, {@code statusReason}, {@code version}, {@code createdAt} and {@code updatedAt} (epoch milliseconds)
 * @param lockedBy the saga that holds it, or null
 */
record Prescription(ObjectNode content, String lockedBy) {

    /**
     * Of the content that is sent, in bytes of JSON. It goes on in envelopes with record headers, and topics take 1 MiB.
     */
    static final int MAX_BYTES = 1_000_000;

    /** Of its JSON. What goes on has its own around it, and has to be read. */
    static final long MAX_TOKENS = Json.MAX_TOKENS - 1000;

    static final String ID = "id";
    static final String STATUS = "status";
    static final String VERSION = "version";
    static final String CREATED_AT = "createdAt";
    static final String UPDATED_AT = "updatedAt";

    /**
     * FHIR medicationrequest-status.
     *
     * @see <a href="https://hl7.org/fhir/R4/valueset-medicationrequest-status.html">HL7 FHIR R4</a>
     */
    static final String ACTIVE = "active";

    static final String ON_HOLD = "on-hold";
    static final String CANCELLED = "cancelled";
    static final String COMPLETED = "completed";

    private static final String STATUS_REASON = "statusReason";

    /** What the write side alone says. */
    private static final Set<String> OURS =
            Set.of(ID, STATUS, STATUS_REASON, VERSION, CREATED_AT, UPDATED_AT, Command.SAGA_ID);

    private static final EventSchema SCHEMA = new EventSchema("prescription.json");

    /** What becomes of a command. */
    sealed interface Decision {}

    /**
     * It takes effect.
     *
     * @param prescription as it is now; null when there is none: what was never locked can be unlocked
     */
    record Applied(Prescription prescription) implements Decision {}

    /** @param reason one line for whoever sent it: names what is in the way, and repeats no value of the prescription */
    record Rejected(String reason) implements Decision {}

    String status() {
        return content.path(STATUS).textValue();
    }

    long version() {
        return content.path(VERSION).longValue();
    }

    /** When it last changed, epoch milliseconds; each change is later than the one before. */
    long updatedAt() {
        return content.path(UPDATED_AT).longValue();
    }

    /**
     * Decides about a command.
     *
     * @param known what it is about, as it is; empty when there is none
     * @param unlocked whether the saga of a lock has unlocked the prescription before
     * @param now epoch milliseconds
     */
    static Decision decide(Command command, Optional<Prescription> known, boolean unlocked, long now) {
        Decision decision = known.map(prescription -> prescription.change(command, unlocked))
                .orElseGet(() -> begin(command));
        return decision instanceof Applied applied && applied.prescription() != null
                ? applied.prescription().following(known, command, now)
                : decision;
    }

    private static Decision begin(Command command) {
        return switch (command.type()) {
            case CREATE -> {
                if (isOfAnother(command)) {
                    yield otherId();
                }
                ObjectNode content = command.payload().deepCopy().without(OURS);
                content.put(ID, command.prescriptionId()).put(STATUS, ACTIVE);
                yield new Applied(new Prescription(content, null));
            }
            // the compensation of a step that was never taken
            case UNLOCK -> new Applied(null);
            default -> new Rejected("there is no such prescription");
        };
    }

    private Decision change(Command command, boolean unlocked) {
        return switch (command.type()) {
            case CREATE -> new Rejected("a prescription with this id exists already");
            case UPDATE -> update(command);
            case CANCEL ->
                isOver()
                        ? over()
                        : new Applied(with(CANCELLED, command.payload().path("reason"), null));
            case LOCK -> lock(command.sagaId(), unlocked);
            // of a saga that does not hold it, nothing changes
            case UNLOCK ->
                command.sagaId().equals(lockedBy)
                        ? new Applied(with(ACTIVE, JsonNodeFactory.instance.nullNode(), null))
                        : new Applied(new Prescription(content.deepCopy(), lockedBy));
        };
    }

    private Decision update(Command command) {
        ObjectNode patch = command.payload();
        if (isOver()) {
            return over();
        }
        if (lockedBy != null) {
            return new Rejected("the prescription is on-hold, a saga holds it");
        }
        if (command.reprocessed() && !patch.has(VERSION) && command.metadata().timestamp() < updatedAt()) {
            return new Rejected("the prescription has changed since the command was first sent");
        }
        if (patch.has(VERSION) && patch.path(VERSION).longValue() != version()) {
            return new Rejected("the prescription has version " + version() + ", and not the one that was changed");
        }
        if (isOfAnother(command)) {
            return otherId();
        }
        String status = patch.path(STATUS).asText(status());
        if (!status.equals(status()) && !status.equals(COMPLETED)) {
            return new Rejected("/payload/status: an update can only set it to completed");
        }
        ObjectNode content = merge(this.content, patch.deepCopy().without(OURS));
        content.put(STATUS, status);
        return SCHEMA.firstError(content)
                .<Decision>map(error -> new Rejected(("/payload" + error).replace("/payload/: ", "/payload: ")))
                .orElseGet(() -> new Applied(new Prescription(content, null)));
    }

    private Decision lock(String saga, boolean unlocked) {
        if (unlocked) {
            return new Rejected("this saga has unlocked the prescription before");
        }
        if (isOver()) {
            return over();
        }
        return lockedBy == null || lockedBy.equals(saga)
                ? new Applied(with(ON_HOLD, JsonNodeFactory.instance.nullNode(), saga))
                : new Rejected("another saga holds the prescription");
    }

    private boolean isOver() {
        return status().equals(CANCELLED) || status().equals(COMPLETED);
    }

    private Decision over() {
        return new Rejected("the prescription is " + status());
    }

    private static boolean isOfAnother(Command command) {
        return !command.payload().path(ID).asText(command.prescriptionId()).equals(command.prescriptionId());
    }

    private static Decision otherId() {
        return new Rejected("/payload/id: is not the prescription's");
    }

    private Prescription with(String status, JsonNode reason, String lockedBy) {
        ObjectNode changed = content.deepCopy();
        changed.put(STATUS, status).remove(STATUS_REASON);
        if (reason.isTextual()) {
            changed.set(STATUS_REASON, reason);
        }
        return new Prescription(changed, lockedBy);
    }

    /** The next version, when there is room for it. */
    private Decision following(Optional<Prescription> before, Command command, long now) {
        long at = before.map(known -> Math.max(now, known.updatedAt() + 1)).orElse(now);
        content.put(VERSION, before.map(Prescription::version).orElse(0L) + 1)
                .put(
                        CREATED_AT,
                        before.map(known -> known.content.path(CREATED_AT).longValue())
                                .orElse(at))
                .put(UPDATED_AT, at);
        // what ends or holds a prescription adds little, and has to come to its end
        boolean mayGrow = command.type() == Command.Type.CREATE || command.type() == Command.Type.UPDATE;
        return (mayGrow ? exceeded(content) : Optional.<String>empty())
                .<Decision>map(limit -> new Rejected("the prescription would be larger than " + limit))
                .orElseGet(() -> new Applied(this));
    }

    /** Which limit a prescription is beyond, if any. */
    static Optional<String> exceeded(JsonNode content) {
        if (Json.write(content).length > MAX_BYTES) {
            return Optional.of(MAX_BYTES + " bytes");
        }
        return Json.tokens(content) > MAX_TOKENS ? Optional.of(MAX_TOKENS + " tokens of JSON") : Optional.empty();
    }

    /** RFC 7396: what the patch has replaces what there is, objects field by field; null removes. */
    private static ObjectNode merge(JsonNode target, ObjectNode patch) {
        ObjectNode merged = target.isObject() ? target.deepCopy() : JsonNodeFactory.instance.objectNode();
        patch.properties().forEach(field -> {
            if (field.getValue().isNull()) {
                merged.remove(field.getKey());
            } else if (field.getValue() instanceof ObjectNode object) {
                merged.set(field.getKey(), merge(merged.path(field.getKey()), object));
            } else {
                merged.set(field.getKey(), field.getValue());
            }
        });
        return merged;
    }
}
