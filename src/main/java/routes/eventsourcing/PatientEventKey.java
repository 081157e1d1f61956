package routes.eventsourcing;

import java.util.Comparator;
import java.util.UUID;
import routes.platform.projection.PositionedEvent;

/** Names an event of a patient. The order is the one in which transactions lock the rows of events. */
record PatientEventKey(PatientKey patient, UUID eventId) implements Comparable<PatientEventKey> {

    private static final Comparator<PatientEventKey> ORDER =
            Comparator.comparing(PatientEventKey::patient).thenComparing(PatientEventKey::eventId);

    static PatientEventKey of(PositionedEvent event) {
        return new PatientEventKey(
                PatientKey.of(event), UUID.fromString(event.event().metadata().eventId()));
    }

    @Override
    public int compareTo(PatientEventKey other) {
        return ORDER.compare(this, other);
    }
}
