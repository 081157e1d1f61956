package routes.platform.event;

/** Answers the caller once the broker has acknowledged the event. */
public record PublishReceipt(String eventId, String correlationId, String topic) {

    /** The exchange property that holds the receipt until then. */
    public static final String PROPERTY = "receipt";
}
