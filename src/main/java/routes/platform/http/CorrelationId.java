package routes.platform.http;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** Ties together everything that follows from one request or event. */
public final class CorrelationId {

    public static final String HEADER = "X-Correlation-Id";

    /**
     * Exchange property, and the name in the log's MDC. Not the name of a query parameter: Camel takes a header that is missing from
     * the property of the same name.
     */
    public static final String PROPERTY = "correlation-id";

    /** Short and harmless in logs, headers and URLs. The same as in openapi.yaml. */
    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");

    private CorrelationId() {}

    /** The caller's id, a new one when there is none, empty when it is malformed. */
    static Optional<String> of(String header) {
        if (header == null || header.isEmpty()) {
            return Optional.of(create());
        }
        return Optional.of(header).filter(id -> WELL_FORMED.matcher(id).matches());
    }

    static String create() {
        return UUID.randomUUID().toString();
    }
}
