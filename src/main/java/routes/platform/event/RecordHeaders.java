package routes.platform.event;

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
}
