package routes.platform.event;

/** What a caller gets once the broker has acknowledged the event. */
public record PublishReceipt(String eventId, String correlationId, String topic) {

    /** Exchange property that holds it until then. */
    public static final String PROPERTY = "receipt";
}
