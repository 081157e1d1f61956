package routes.platform;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * UUIDs as text. In upper and in lower case it is the same UUID; lower case is how it is written.
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

    /** The two UUIDs that name nothing: programs send them where they have none (RFC 9562, 5.9 and 5.10). */
    public static boolean namesNothing(String text) {
        return "00000000-0000-0000-0000-000000000000".equals(text)
                || "ffffffff-ffff-ffff-ffff-ffffffffffff".equalsIgnoreCase(text);
    }

    /** An id as it is kept and looked for: a UUID in lower case, any other text as it is. */
    public static String normal(String id) {
        return id != null && isUuid(id) ? id.toLowerCase(Locale.ROOT) : id;
    }
}
