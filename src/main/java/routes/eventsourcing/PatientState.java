package routes.eventsourcing;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Folds events into the state of a patient: a flat object of the payload's fields, {@code createdAt} and
 * {@code addressUpdatedAt} (epoch milliseconds). Each event replaces the fields that it has.
 */
final class PatientState {

    static final String CREATED_AT = "createdAt";
    static final String ADDRESS_UPDATED_AT = "addressUpdatedAt";

    /** Belongs to the event, not to the patient. */
    private static final String REASON = "reason";

    private final Map<String, Object> fields = new LinkedHashMap<>();

    /**
     * Applies the next event; an unknown type changes nothing.
     *
     * @param timestamp epoch milliseconds
     * @param data the fields of the payload that are not null
     */
    void apply(String code, long timestamp, Map<String, String> data) {
        PatientEventType.of(code).ifPresent(type -> {
            fields.putAll(data);
            fields.remove(REASON);
            if (type == PatientEventType.PROFILE_CREATED) {
                fields.put(CREATED_AT, timestamp);
            }
            if (type == PatientEventType.ADDRESS_UPDATED) {
                fields.put(ADDRESS_UPDATED_AT, timestamp);
            }
        });
    }

    Map<String, Object> fields() {
        return fields;
    }
}
