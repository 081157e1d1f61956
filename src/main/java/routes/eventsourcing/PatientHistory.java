package routes.eventsourcing;

import java.util.HashMap;
import java.util.Map;

/** Folds one patient's stored events and tracks the last record of the last event's partition. */
final class PatientHistory {

    private final PatientState state = new PatientState();
    private final Map<Integer, Long> lastOffsets = new HashMap<>();
    private int partition;

    void apply(String code, long timestamp, Map<String, String> data, int eventPartition, long offset) {
        state.apply(code, timestamp, data);
        partition = eventPartition;
        lastOffsets.merge(eventPartition, offset, Math::max);
    }

    Map<String, Object> fields() {
        return state.fields();
    }

    int partition() {
        return partition;
    }

    long lastOffset() {
        return lastOffsets.get(partition);
    }
}
