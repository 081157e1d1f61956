package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import routes.platform.UuidText;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;

/**
 * What is to happen to a prescription.
 *
 * @param metadata its eventId is the commandId
 * @param prescriptionId the aggregateId
 * @param reprocessed whether it was a dead letter and is sent again, so that others may have come before it that are later
 */
record Command(Type type, String prescriptionId, ObjectNode payload, EventMetadata metadata, boolean reprocessed) {

    enum Type {
        CREATE("CreatePrescription", "PrescriptionCreated"),
        UPDATE("UpdatePrescription", "PrescriptionUpdated"),
        CANCEL("CancelPrescription", "PrescriptionCancelled"),
        LOCK("LockPrescription", "PrescriptionLocked"),
        UNLOCK("UnlockPrescription", "PrescriptionUnlocked");

        final String commandType;

        /** What has happened when it is applied. */
        final String eventType;

        Type(String commandType, String eventType) {
            this.commandType = commandType;
            this.eventType = eventType;
        }

        boolean isOfSaga() {
            return this == LOCK || this == UNLOCK;
        }
    }

    static final String SAGA_ID = "sagaId";

    /** @param event of medication.commands, checked against its schema */
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

    /** Null when it is of no saga. */
    String sagaId() {
        return type.isOfSaga() ? UuidText.normal(payload.path(SAGA_ID).textValue()) : null;
    }
}
