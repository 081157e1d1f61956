package routes.platform;

import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads points in time that callers send as text. */
public final class InstantText {

    public static final String EXPECTED = "must be epoch milliseconds, or a time such as 2026-01-31T08:30:00Z";

    private static final Pattern EPOCH_MILLIS = Pattern.compile("0|[1-9][0-9]{0,14}");

    private InstantText() {}

    /**
     * @param text epoch milliseconds, or ISO-8601 with an offset
     * @return epoch milliseconds; empty when the text is neither
     */
    public static Optional<Long> epochMillis(String text) {
        try {
            return Optional.of(
                    EPOCH_MILLIS.matcher(text).matches()
                            ? Long.parseLong(text)
                            : OffsetDateTime.parse(text).toInstant().toEpochMilli());
        } catch (DateTimeException | ArithmeticException e) {
            return Optional.empty();
        }
    }
}
