package routes.platform.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Locale;
import org.springframework.http.HttpStatus;
import routes.platform.Violation;

/**
 * The body of an error response.
 *
 * @param error one line with the rule and its place, never the value that was sent
 * @param errors the first 20 violations by place; empty where places are unknown
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>
 */
@JsonPropertyOrder({"type", "title", "status", "error", "errors", "correlationId"})
record Problem(
        String type,
        String title,
        int status,
        String error,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Violation> errors,
        String correlationId) {

    private static final int MAX_ERRORS = 20;

    static final String MEDIA_TYPE = "application/problem+json";

    /** A problem with the text of its status alone. */
    static Problem of(int status, String correlationId) {
        HttpStatus known = HttpStatus.resolve(status);
        String error = known == HttpStatus.NOT_FOUND
                ? "no such resource"
                : known == null ? "error" : known.getReasonPhrase().toLowerCase(Locale.ROOT);
        return of(status, error, correlationId);
    }

    static Problem of(int status, String error, String correlationId) {
        return of(status, error, List.of(), correlationId);
    }

    static Problem of(int status, String error, List<Violation> errors, String correlationId) {
        HttpStatus known = HttpStatus.resolve(status);
        return new Problem(
                "about:blank",
                known == null ? "Error" : known.getReasonPhrase(),
                status,
                error,
                errors.stream().limit(MAX_ERRORS).toList(),
                correlationId);
    }
}
