package routes.platform.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Instant;
import java.util.Map;
import org.apache.avro.generic.IndexedRecord;
import routes.platform.Caller;
import routes.platform.PlainText;
import routes.platform.TenantName;
import routes.platform.UuidText;
import routes.platform.error.InvalidMetadataException;

/**
 * Holds the metadata of an event, with the contract's defaults filled in.
 *
 * @param eventId identity, a UUID, in lower case however the record writes it; on commands the commandId
 * @param eventType such as {@code medication.prescription.created}
 * @param timestamp event time, epoch milliseconds
 * @param correlationId never empty
 * @param causationId null when the cause is unknown; a UUID in lower case
 * @param tenant never empty, {@code default} when the record names none
 */
public record EventMetadata(
        String eventId, String eventType, long timestamp, String correlationId, String causationId, String tenant) {

    /** The last millisecond of the year 9999; schemas/metadata.json has the same limit. */
    private static final long MAX_TIMESTAMP = 253_402_300_799_999L;

    /**
     * Reads the metadata of a JSON value. A flat value has correlation, causation and tenant only in the record
     * headers. A command has a {@code commandType}.
     *
     * @param enveloped whether it is {@code {metadata, payload}}
     * @param headers of the record, as text
     * @throws InvalidMetadataException when id, type or timestamp is missing, or a text cannot be stored or logged
     */
    public static EventMetadata of(JsonNode value, boolean enveloped, Map<String, Object> headers) {
        JsonNode metadata = enveloped ? value.path("metadata") : value;
        boolean command = !enveloped && metadata.has("commandType");
        String id = UuidText.normal(
                command ? text(metadata, "commandId") : first(text(metadata, "eventId"), text(metadata, "commandId")));
        String type = text(metadata, command ? "commandType" : "eventType");
        Long timestamp = exactLong(metadata.path("timestamp"));
        if (id == null || type == null || timestamp == null) {
            throw new InvalidMetadataException(
                    "neither an envelope nor a flat event: it needs an id, a type and a timestamp");
        }
        requireName(id);
        JsonNode security = enveloped ? object(metadata, "security") : MissingNode.getInstance();
        return new EventMetadata(
                requireStorable("the id", id),
                requireStorable("the type", type),
                timestamp,
                requireStorable(
                        "the correlation id",
                        first(
                                enveloped ? text(metadata, "correlationId") : null,
                                RecordHeaders.usableText(headers, RecordHeaders.CORRELATION_ID),
                                enveloped ? null : UuidText.normal(text(metadata, "sagaId")),
                                id)),
                requireStorable(
                        "the causation id",
                        UuidText.normal(first(
                                enveloped ? text(metadata, "causationId") : null,
                                RecordHeaders.usableText(headers, RecordHeaders.CAUSATION_ID)))),
                tenant(text(security, "tenant"), text(object(security, "claims"), "tenant"), headers));
    }

    /**
     * Reads the metadata of an Avro value. Its schema checks types and required fields; this method checks the rest.
     *
     * @param headers of the record, as text
     * @throws InvalidMetadataException when the id is not a UUID, type or source is empty, the timestamp is out of
     *     range, or text is unusable
     */
    public static EventMetadata of(IndexedRecord value, Map<String, Object> headers) {
        IndexedRecord metadata = (IndexedRecord) field(value, "metadata");
        IndexedRecord security = (IndexedRecord) field(metadata, "security");
        String id = UuidText.normal((String) field(metadata, "eventId"));
        if (!UuidText.isUuid(id)) {
            throw new InvalidMetadataException("/metadata/eventId: is not a valid uuid");
        }
        requireName(id);
        for (String required : new String[] {"eventType", "eventSource"}) {
            if (requireStorable("/metadata/" + required, (String) field(metadata, required))
                    .isEmpty()) {
                throw new InvalidMetadataException("/metadata/" + required + ": is empty");
            }
        }
        long timestamp = ((Instant) field(metadata, "timestamp")).toEpochMilli();
        if (timestamp < 0 || timestamp > MAX_TIMESTAMP) {
            throw new InvalidMetadataException("/metadata/timestamp: is not from 0 to " + MAX_TIMESTAMP);
        }
        return new EventMetadata(
                id,
                (String) field(metadata, "eventType"),
                timestamp,
                requireStorable(
                        "the correlation id",
                        first(
                                (String) field(metadata, "correlationId"),
                                RecordHeaders.usableText(headers, RecordHeaders.CORRELATION_ID),
                                id)),
                requireStorable(
                        "the causation id",
                        UuidText.normal(first(
                                (String) field(metadata, "causationId"),
                                RecordHeaders.usableText(headers, RecordHeaders.CAUSATION_ID)))),
                tenant(
                        (String) field(security, "tenant"),
                        (String) field((IndexedRecord) field(security, "claims"), "tenant"),
                        headers));
    }

    /**
     * @throws InvalidMetadataException for the nil or the max UUID, which a producer may give to all its events: they
     *     would count as duplicates
     */
    static void requireName(String id) {
        if (UuidText.isNilOrMax(id)) {
            throw new InvalidMetadataException("the id is the nil or the max UUID, which names no event");
        }
    }

    private static Object field(IndexedRecord record, String name) {
        return record == null
                ? null
                : record.get(record.getSchema().getField(name).pos());
    }

    /** Returns null when the node is not a whole number; 1.0 and 1e3 are whole numbers. */
    private static Long exactLong(JsonNode node) {
        try {
            return node.isNumber() ? (Long) node.decimalValue().longValueExact() : null;
        } catch (ArithmeticException e) {
            return null;
        }
    }

    /** Refuses text that an index, PostgreSQL or a log line cannot hold. The schemas have the same rule. */
    private static String requireStorable(String what, String text) {
        require(
                text == null || text.isEmpty() || PlainText.isValid(text),
                what + " is longer than " + PlainText.MAX_LENGTH + " characters, or has control characters");
        return text;
    }

    /**
     * Returns the owner of an event from the first place that names one. An unusable name never becomes
     * {@code default}.
     */
    private static String tenant(String ofSecurity, String ofClaims, Map<String, Object> headers) {
        String tenant =
                first(ofSecurity, ofClaims, RecordHeaders.text(headers, RecordHeaders.TENANT), Caller.DEFAULT_TENANT);
        if (!TenantName.isValid(tenant)) {
            throw new InvalidMetadataException("the tenant is blank, longer than " + PlainText.MAX_LENGTH
                    + " characters, or has control characters");
        }
        return tenant;
    }

    /** Returns null when the field is missing; a number is not text. */
    private static String text(JsonNode node, String field) {
        JsonNode text = node.path(field);
        require(text.isTextual() || text.isNull() || text.isMissingNode(), field + ": is not text");
        return text.textValue();
    }

    private static JsonNode object(JsonNode node, String field) {
        JsonNode object = node.path(field);
        require(object.isObject() || object.isNull() || object.isMissingNode(), field + ": is not an object");
        return object;
    }

    private static void require(boolean right, String otherwise) {
        if (!right) {
            throw new InvalidMetadataException(otherwise);
        }
    }

    private static String first(String... candidates) {
        for (String candidate : candidates) {
            if (candidate != null && !candidate.isEmpty()) {
                return candidate;
            }
        }
        return null;
    }
}
