package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;
import routes.platform.Json;
import routes.platform.contract.EventSchema;

/**
 * Decides what a command does to a prescription. Uses no clock and no database.
 *
 * @param content the fields of {@code schemas/prescription.json}, any unknown fields of the caller, and {@code id},
 *     {@code status}, {@code statusReason}, {@code version}, {@code createdAt} and {@code updatedAt} (epoch
 *     milliseconds)
 * @param lockedBy the id of the saga that holds the prescription, or null
 */
record Prescription(ObjectNode content, String lockedBy) {

    /** Limit of the content in bytes of JSON. An envelope and headers still fit a topic's 1 MiB. */
    static final int MAX_BYTES = 1_000_000;

    /** Limit of the content in JSON tokens. The envelope's own tokens still fit the reader's limit. */
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

    /** Fields that only the write side sets; a caller's values are dropped. */
    private static final Set<String> WRITE_SIDE_FIELDS =
            Set.of(ID, STATUS, STATUS_REASON, VERSION, CREATED_AT, UPDATED_AT, Command.SAGA_ID);

    private static final EventSchema SCHEMA = new EventSchema("prescription.json");

    /** The outcome of a command. */
    sealed interface Decision {}

    /**
     * The command takes effect.
     *
     * @param prescription the next state; null when a saga unlocks a prescription that does not exist
     */
    record Applied(Prescription prescription) implements Decision {}

    /** @param reason one line for the sender; repeats no value of the prescription */
    record Rejected(String reason) implements Decision {}

    String status() {
        return content.path(STATUS).textValue();
    }

    long version() {
        return content.path(VERSION).longValue();
    }

    /** Epoch milliseconds of the last change; each change is later than the one before. */
    long updatedAt() {
        return content.path(UPDATED_AT).longValue();
    }

    /**
     * Decides a command.
     *
     * @param known the current state; empty when there is no prescription with this id
     * @param unlocked whether the saga of a lock command has already unlocked the prescription
     * @param now epoch milliseconds
     */
    static Decision decide(Command command, Optional<Prescription> known, boolean unlocked, long now) {
        Decision decision = known.map(prescription -> prescription.change(command, unlocked))
                .orElseGet(() -> create(command));
        return decision instanceof Applied applied && applied.prescription() != null
                ? applied.prescription().asNextVersion(known, command, now)
                : decision;
    }

    private static Decision create(Command command) {
        return switch (command.type()) {
            case CREATE -> {
                if (namesAnotherId(command)) {
                    yield rejectOtherId();
                }
                ObjectNode content = command.payload().deepCopy().without(WRITE_SIDE_FIELDS);
                content.put(ID, command.prescriptionId()).put(STATUS, ACTIVE);
                yield new Applied(new Prescription(content, null));
            }
            // a saga may compensate a lock that it never took
            case UNLOCK -> new Applied(null);
            default -> new Rejected("there is no such prescription");
        };
    }

    private Decision change(Command command, boolean unlocked) {
        return switch (command.type()) {
            case CREATE -> new Rejected("a prescription with this id exists already");
            case UPDATE -> update(command);
            case CANCEL ->
                isClosed()
                        ? rejectClosed()
                        : new Applied(withStatus(CANCELLED, command.payload().path("reason"), null));
            case LOCK -> lock(command.sagaId(), unlocked);
            // an unlock by a saga that does not hold the prescription adds a version and changes nothing else
            case UNLOCK ->
                command.sagaId().equals(lockedBy)
                        ? new Applied(withStatus(ACTIVE, JsonNodeFactory.instance.nullNode(), null))
                        : new Applied(new Prescription(content.deepCopy(), lockedBy));
        };
    }

    private Decision update(Command command) {
        ObjectNode patch = command.payload();
        if (isClosed()) {
            return rejectClosed();
        }
        if (lockedBy != null) {
            return new Rejected("the prescription is on-hold: a saga holds it");
        }
        if (command.reprocessed() && !patch.has(VERSION) && command.metadata().timestamp() < updatedAt()) {
            return new Rejected("the prescription has changed since the command was first sent");
        }
        if (patch.has(VERSION) && patch.path(VERSION).longValue() != version()) {
            return new Rejected("the prescription has version " + version() + ", but the update names another version");
        }
        if (namesAnotherId(command)) {
            return rejectOtherId();
        }
        String status = patch.path(STATUS).asText(status());
        if (!status.equals(status()) && !status.equals(COMPLETED)) {
            return new Rejected("/payload/status: an update can only set it to completed");
        }
        ObjectNode patched = JsonMergePatch.apply(content, patch.deepCopy().without(WRITE_SIDE_FIELDS));
        patched.put(STATUS, status);
        return SCHEMA.firstError(patched)
                .<Decision>map(error -> new Rejected(("/payload" + error).replace("/payload/: ", "/payload: ")))
                .orElseGet(() -> new Applied(new Prescription(patched, null)));
    }

    private Decision lock(String saga, boolean unlocked) {
        if (unlocked) {
            return new Rejected("this saga has already unlocked the prescription");
        }
        if (isClosed()) {
            return rejectClosed();
        }
        return lockedBy == null || lockedBy.equals(saga)
                ? new Applied(withStatus(ON_HOLD, JsonNodeFactory.instance.nullNode(), saga))
                : new Rejected("another saga holds the prescription");
    }

    private boolean isClosed() {
        return status().equals(CANCELLED) || status().equals(COMPLETED);
    }

    private Decision rejectClosed() {
        return new Rejected("the prescription is " + status());
    }

    private static boolean namesAnotherId(Command command) {
        return !command.payload().path(ID).asText(command.prescriptionId()).equals(command.prescriptionId());
    }

    private static Decision rejectOtherId() {
        return new Rejected("/payload/id: is the id of another prescription");
    }

    private Prescription withStatus(String status, JsonNode reason, String lockedBy) {
        ObjectNode changed = content.deepCopy();
        changed.put(STATUS, status).remove(STATUS_REASON);
        if (reason.isTextual()) {
            changed.set(STATUS_REASON, reason);
        }
        return new Prescription(changed, lockedBy);
    }

    /** Sets version and timestamps; rejects content beyond a limit. */
    private Decision asNextVersion(Optional<Prescription> before, Command command, long now) {
        long at = before.map(known -> Math.max(now, known.updatedAt() + 1)).orElse(now);
        content.put(VERSION, before.map(Prescription::version).orElse(0L) + 1)
                .put(
                        CREATED_AT,
                        before.map(known -> known.content.path(CREATED_AT).longValue())
                                .orElse(at))
                .put(UPDATED_AT, at);
        // a cancellation, lock or unlock adds little and must not fail
        boolean mayGrow = command.type() == Command.Type.CREATE || command.type() == Command.Type.UPDATE;
        return (mayGrow ? exceededLimit(content) : Optional.<String>empty())
                .<Decision>map(limit -> new Rejected("the prescription would be larger than " + limit))
                .orElseGet(() -> new Applied(this));
    }

    /** Returns the limit that the content exceeds, if any. */
    static Optional<String> exceededLimit(JsonNode content) {
        if (Json.write(content).length > MAX_BYTES) {
            return Optional.of(MAX_BYTES + " bytes");
        }
        return Json.tokens(content) > MAX_TOKENS ? Optional.of(MAX_TOKENS + " tokens of JSON") : Optional.empty();
    }
}
