package routes.eventsourcing;

import java.util.Comparator;
import routes.platform.projection.PositionedEvent;

/** Names a patient. The order is the one in which transactions lock the rows of patients. */
record PatientKey(String tenant, String id) implements Comparable<PatientKey> {

    private static final Comparator<PatientKey> ORDER =
            Comparator.comparing(PatientKey::tenant).thenComparing(PatientKey::id);

    static PatientKey of(PositionedEvent event) {
        return new PatientKey(event.event().metadata().tenant(), event.key());
    }

    @Override
    public int compareTo(PatientKey other) {
        return ORDER.compare(this, other);
    }
}
