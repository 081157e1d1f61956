package routes.platform.event;

import java.util.Map;
import routes.platform.PlainText;

/** Names the record headers of the contract that the runtime itself reads or writes. */
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

    /** Returns null when the record has no such header. */
    static String text(Map<String, Object> headers, String name) {
        Object value = headers.get(name);
        return value == null ? null : value.toString();
    }

    /**
     * Returns a header that only links the record to others. A value that an index or a log line cannot hold is
     * ignored; the event is still valid.
     *
     * @return null when the header is missing or unusable
     */
    static String usableText(Map<String, Object> headers, String name) {
        String text = text(headers, name);
        return PlainText.isVisible(text) ? text : null;
    }
}
