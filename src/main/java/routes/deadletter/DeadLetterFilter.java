package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.springframework.jdbc.core.simple.JdbcClient;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.Instants;

/**
 * Which letters are meant; null is any.
 *
 * @param topic the original topic
 * @param key the record key as text
 * @param keySha256 of the record key, in hexadecimal, lower case
 * @param from the last failure is not before, epoch milliseconds
 * @param to the last failure is before, epoch milliseconds
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

    static final List<String> FIELDS = List.of("topic", "errorClass", "status", "key", "keySha256", "from", "to");

    /** Those that leave letters out of what is sent again: that takes only NEW ones, so a status does not. */
    static final List<String> NAMING = List.of("topic", "errorClass", "key", "keySha256", "from", "to");

    /** For a {@code where} clause; {@link #bind} gives the parameters. */
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
        return of(request::parameter, "query parameter ");
    }

    /** @param body an object whose fields have the names of the query parameters */
    static DeadLetterFilter of(JsonNode body) {
        return of(
                name -> {
                    JsonNode value = body.path(name);
                    if (value.isContainerNode() || value.isBoolean()) {
                        throw malformed("/" + name, "text");
                    }
                    return value.isMissingNode() || value.isNull() ? null : value.asText();
                },
                "/");
    }

    /** Whether it says by one of {@link #NAMING} which letters are meant. */
    boolean namesLetters() {
        return topic != null || errorClass != null || key != null || keySha256 != null || from != null || to != null;
    }

    /** What it is in a statement: named parameters of {@link #CONDITION}. */
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

    private static DeadLetterFilter of(Function<String, String> values, String where) {
        return new DeadLetterFilter(
                text(values, where, "topic"),
                text(values, where, "errorClass"),
                status(values.apply("status"), where),
                text(values, where, "key"),
                sha256(values, where),
                Instants.epochMillis(values.apply("from"), where + "from"),
                Instants.epochMillis(values.apply("to"), where + "to"));
    }

    private static String text(Function<String, String> values, String where, String name) {
        String text = values.apply(name);
        if (text != null && text.indexOf('\0') >= 0) {
            throw malformed(where + name, "text without control characters");
        }
        return text;
    }

    private static String sha256(Function<String, String> values, String where) {
        String text = values.apply("keySha256");
        if (text != null && !text.matches("[0-9a-f]{64}")) {
            throw malformed(where + "keySha256", "64 hexadecimal digits in lower case");
        }
        return text;
    }

    private static Status status(String text, String where) {
        if (text == null) {
            return null;
        }
        return Arrays.stream(Status.values())
                .filter(status -> status.name().equals(text))
                .findFirst()
                .orElseThrow(() -> malformed(where + "status", "NEW, REPROCESSED, DISCARDED or PARKED"));
    }

    private static ProblemException malformed(String where, String expected) {
        return new ProblemException(400, where + ": expected " + expected);
    }
}
