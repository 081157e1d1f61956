package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.springframework.jdbc.core.simple.JdbcClient;
import routes.platform.InstantText;
import routes.platform.Violation;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/**
 * Selects dead letters; a null field matches all.
 *
 * @param topic the original topic
 * @param key the record key as text
 * @param keySha256 of the record key, in hexadecimal, lower case
 * @param from earliest last failure, epoch milliseconds, inclusive
 * @param to latest last failure, epoch milliseconds, exclusive
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record DeadLetterFilter(
        String topic, String errorClass, Status status, String key, String keySha256, Long from, Long to) {

    enum Status {
        NEW,
        REPROCESSED,
        DISCARDED,
        PARKED
    }

    /** The fields that restrict a reprocessing. A status does not, because only NEW dead letters are reprocessed. */
    private static final Map<String, Function<DeadLetterFilter, Object>> SELECTORS = selectors();

    /** A {@code where} clause; {@link #bind} sets its parameters. */
    static final String CONDITION =
            """

            tenant = :tenant
            and (:topic::text is null or original_topic = :topic)
            and (:errorClass::text is null or error_class = :errorClass)
            and (:status::text is null or status = :status)
            and (:key::text is null or key_digest = sha256(convert_to(:key, 'UTF8')))
            and (:keySha256::text is null or key_digest = decode(:keySha256, 'hex'))
            and (:from::bigint is null or failed_at >= :from)
            and (:to::bigint is null or failed_at < :to)""";

    static DeadLetterFilter of(HttpRequest request) {
        return new DeadLetterFilter(
                request.text("topic"),
                request.text("errorClass"),
                request.text("status") == null ? null : Status.valueOf(request.text("status")),
                request.text("key"),
                request.text("keySha256"),
                request.number("from"),
                request.number("to"));
    }

    /** @param body an object whose fields have the names of the query parameters */
    static DeadLetterFilter of(JsonNode body) {
        return new DeadLetterFilter(
                text(body, "topic"),
                text(body, "errorClass"),
                status(text(body, "status")),
                text(body, "key"),
                text(body, "keySha256"),
                instant(text(body, "from"), "/from"),
                instant(text(body, "to"), "/to"));
    }

    private static Map<String, Function<DeadLetterFilter, Object>> selectors() {
        Map<String, Function<DeadLetterFilter, Object>> fields = new LinkedHashMap<>();
        fields.put("topic", DeadLetterFilter::topic);
        fields.put("errorClass", DeadLetterFilter::errorClass);
        fields.put("key", DeadLetterFilter::key);
        fields.put("keySha256", DeadLetterFilter::keySha256);
        fields.put("from", DeadLetterFilter::from);
        fields.put("to", DeadLetterFilter::to);
        return fields;
    }

    /** The names of the fields that restrict a reprocessing. */
    static Set<String> names() {
        return SELECTORS.keySet();
    }

    /** Whether one of {@link #names()} is set. */
    boolean isSelective() {
        return SELECTORS.values().stream().anyMatch(field -> field.apply(this) != null);
    }

    /** Sets the named parameters of {@link #CONDITION}. */
    JdbcClient.StatementSpec bind(JdbcClient.StatementSpec statement, String tenant) {
        return statement
                .param("tenant", tenant)
                .param("topic", topic)
                .param("errorClass", errorClass)
                .param("status", status == null ? null : status.name())
                .param("key", key)
                .param("keySha256", keySha256)
                .param("from", from)
                .param("to", to);
    }

    private static String text(JsonNode body, String name) {
        JsonNode value = body.path(name);
        if (value.isContainerNode() || value.isBoolean() || value.asText().indexOf('\0') >= 0) {
            throw malformed("/" + name, "must be text without the character U+0000");
        }
        return value.isMissingNode() || value.isNull() ? null : value.asText();
    }

    private static Status status(String text) {
        if (text == null) {
            return null;
        }
        return Arrays.stream(Status.values())
                .filter(status -> status.name().equals(text))
                .findFirst()
                .orElseThrow(() -> malformed("/status", "must be one of NEW, REPROCESSED, DISCARDED, PARKED"));
    }

    private static Long instant(String text, String where) {
        return text == null
                ? null
                : InstantText.epochMillis(text).orElseThrow(() -> malformed(where, InstantText.EXPECTED));
    }

    private static ProblemException malformed(String where, String expected) {
        return new ProblemException(List.of(new Violation(where, expected)));
    }
}
