package routes.platform.outbox;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import routes.platform.event.EventMetadata;
import routes.platform.event.RecordHeaders;

/**
 * A record that the outbox sends.
 *
 * @param key records of one topic and key go out in the order of their commits; records with a null key have no order
 * @param value null is a tombstone
 * @param headers in their order; a name may repeat, a value may be null
 * @param eventId consumers find duplicates by it; null when the value has none
 * @param tenant the owner of the record
 */
public record OutboxRecord(
        String topic, byte[] key, byte[] value, List<Header> headers, String eventId, String tenant) {

    /**
     * Creates an event with the headers that every record of the runtime has; they are never null.
     *
     * @param metadata of the value
     * @param further headers that the topic's contract names
     */
    public static OutboxRecord event(
            String topic, String key, byte[] value, EventMetadata metadata, Map<String, String> further) {
        List<Header> headers = new ArrayList<>();
        headers.add(header(RecordHeaders.CORRELATION_ID, metadata.correlationId()));
        headers.add(header(RecordHeaders.CAUSATION_ID, metadata.causationId()));
        headers.add(header(RecordHeaders.TENANT, metadata.tenant()));
        further.forEach((name, text) -> headers.add(header(name, text)));
        return new OutboxRecord(
                topic,
                key.getBytes(StandardCharsets.UTF_8),
                value,
                List.copyOf(headers),
                metadata.eventId(),
                metadata.tenant());
    }

    private static Header header(String name, String text) {
        return new RecordHeader(name, (text == null ? "" : text).getBytes(StandardCharsets.UTF_8));
    }
}
