package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import routes.platform.UuidText;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;

/**
 * Requests a change of one prescription.
 *
 * @param metadata its eventId is the commandId
 * @param prescriptionId the aggregateId
 * @param reprocessed whether an operator has reprocessed it as a dead letter: later commands may have taken effect
 *     before it
 */
record Command(Type type, String prescriptionId, ObjectNode payload, EventMetadata metadata, boolean reprocessed) {

    /** The commands, each with the type of its event. */
    enum Type {
        CREATE("CreatePrescription", "PrescriptionCreated"),
        UPDATE("UpdatePrescription", "PrescriptionUpdated"),
        CANCEL("CancelPrescription", "PrescriptionCancelled"),
        LOCK("LockPrescription", "PrescriptionLocked"),
        UNLOCK("UnlockPrescription", "PrescriptionUnlocked");

        final String commandType;

        final String eventType;

        Type(String commandType, String eventType) {
            this.commandType = commandType;
            this.eventType = eventType;
        }
    }

    static final String SAGA_ID = "sagaId";

    /** @param event of medication.commands, valid against the topic's schema */
    static Command of(Event<JsonNode> event, boolean reprocessed) {
        JsonNode value = event.payload();
        return new Command(
                Arrays.stream(Type.values())
                        .filter(type -> type.commandType.equals(event.metadata().eventType()))
                        .findFirst()
                        .orElseThrow(),
                value.path("aggregateId").textValue(),
                (ObjectNode) value.path("payload"),
                event.metadata(),
                reprocessed);
    }

    String id() {
        return metadata.eventId();
    }

    /** Returns the saga of a lock or unlock; null for any other command. */
    String sagaId() {
        return type == Type.LOCK || type == Type.UNLOCK
                ? UuidText.normal(payload.path(SAGA_ID).textValue())
                : null;
    }
}
