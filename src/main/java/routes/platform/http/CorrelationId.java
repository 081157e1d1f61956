package routes.platform.http;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/** Links everything that follows from one request or event. */
public final class CorrelationId {

    public static final String HEADER = "X-Correlation-Id";

    /**
     * Exchange property, and the name in the log's MDC. It differs from every query parameter, because Camel reads an
     * absent header from the property of the same name.
     */
    public static final String PROPERTY = "correlation-id";

    /** Allows ids that are safe in logs, headers and URLs; openapi.yaml has the same pattern. */
    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");

    private CorrelationId() {}

    /** Returns the caller's id, a new one without a header, and empty when the header is malformed. */
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
