package routes.eventsourcing;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What events say of a patient, in the order in which they count: a flat object of the payload's fields, {@code createdAt} and
 * {@code addressUpdatedAt} (epoch milliseconds). Each event replaces the fields that it has, and says nothing about the others; one of a type
 * that is not known says nothing.
 */
final class PatientState {

    static final String CREATED_AT = "createdAt";
    static final String ADDRESS_UPDATED_AT = "addressUpdatedAt";

    /** Why something happened: of the event, not of the patient. */
    private static final String REASON = "reason";

    private final Map<String, Object> view = new LinkedHashMap<>();

    /**
     * @param timestamp epoch milliseconds
     * @param data the fields of the payload that are not null
     */
    void add(String code, long timestamp, Map<String, String> data) {
        PatientEventType.of(code).ifPresent(type -> {
            view.putAll(data);
            view.remove(REASON);
            if (type == PatientEventType.PROFILE_CREATED) {
                view.put(CREATED_AT, timestamp);
            }
            if (type == PatientEventType.ADDRESS_UPDATED) {
                view.put(ADDRESS_UPDATED_AT, timestamp);
            }
        });
    }

    Map<String, Object> view() {
        return view;
    }
}
