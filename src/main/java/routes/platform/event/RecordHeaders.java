package routes.platform.event;

import java.util.Map;
import routes.platform.PlainText;

/** The record headers of the contract that the runtime reads or writes itself. */
public final class RecordHeaders {

    public static final String CORRELATION_ID = "correlation-id";
    public static final String CAUSATION_ID = "causation-id";
    public static final String TENANT = "tenant";
    public static final String CONTENT_TYPE = "content-type";
    public static final String EVENT_SOURCE = "event-source";
    public static final String EVENT_TYPE = "event-type";

    /** The record key, as text. */
    public static final String AGGREGATE_ID = "aggregate-id";

    private RecordHeaders() {}

    /** Null when the record has no such header. */
    static String text(Map<String, Object> headers, String name) {
        Object value = headers.get(name);
        return value == null ? null : value.toString();
    }

    /**
     * A header that only ties the record to others. One that no index and no log line can hold ties it to nothing, and says nothing against the
     * event.
     *
     * @return null when there is none that can be used
     */
    static String link(Map<String, Object> headers, String name) {
        String text = text(headers, name);
        return PlainText.isVisible(text) ? text : null;
    }
}
