package routes.platform.http;

import java.time.DateTimeException;
import java.time.OffsetDateTime;
import routes.platform.error.ProblemException;

/** Points in time as callers give them. */
public final class Instants {

    private Instants() {}

    /**
     * @param text epoch milliseconds, or ISO-8601 with an offset; null for none
     * @param where what to call it in an error
     * @return epoch milliseconds, or null
     * @throws ProblemException 400 when it is neither
     */
    public static Long epochMillis(String text, String where) {
        if (text == null) {
            return null;
        }
        try {
            return text.matches("\\d{1,15}")
                    ? Long.parseLong(text)
                    : OffsetDateTime.parse(text).toInstant().toEpochMilli();
        } catch (DateTimeException | ArithmeticException e) {
            throw new ProblemException(
                    400, where + ": expected epoch milliseconds, or a time such as 2026-01-31T08:30:00Z");
        }
    }

    /** The same for a query parameter. */
    public static Long parameter(HttpRequest request, String name) {
        return epochMillis(request.parameter(name), "query parameter " + name);
    }
}
