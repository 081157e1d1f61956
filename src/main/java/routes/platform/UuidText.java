package routes.platform;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Normalizes UUIDs in text: upper and lower case are the same UUID, stored in lower case.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9562#name-uuid-format">RFC 9562, UUID format</a>
 */
public final class UuidText {

    private static final int LENGTH = 36;
    private static final Pattern UUID = Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

    private UuidText() {}

    public static boolean isUuid(String text) {
        return text.length() == LENGTH && UUID.matcher(text).matches();
    }

    /** Whether it is the Nil or the Max UUID, which programs send where they have no id (RFC 9562, 5.9 and 5.10). */
    public static boolean isNilOrMax(String text) {
        return "00000000-0000-0000-0000-000000000000".equals(text)
                || "ffffffff-ffff-ffff-ffff-ffffffffffff".equalsIgnoreCase(text);
    }

    /** Returns an id as the database keeps it: a UUID in lower case, any other text unchanged. */
    public static String normal(String id) {
        return id != null && isUuid(id) ? id.toLowerCase(Locale.ROOT) : id;
    }
}
