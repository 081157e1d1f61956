package routes.platform;

import java.util.regex.Pattern;

/**
 * Checks text that record headers, indexes and log lines can hold: 1 to 256 characters, without control characters. The
 * schemas state the same as a pattern.
 */
public final class PlainText {

    public static final int MAX_LENGTH = 256;

    private static final Pattern PLAIN = Pattern.compile("[^\\x00-\\x1f\\x7f-\\x9f]{1," + MAX_LENGTH + "}");

    /** Excludes white space as ECMA-262 defines it, so that a schema means the same in every language. */
    private static final Pattern VISIBLE =
            Pattern.compile("[^\\s\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]");

    private PlainText() {}

    /** @param value null and values other than strings are not valid */
    public static boolean isValid(Object value) {
        return value instanceof String text && PLAIN.matcher(text).matches();
    }

    /** Whether the text is valid and has a visible character. */
    public static boolean isVisible(Object value) {
        return isValid(value) && VISIBLE.matcher((String) value).find();
    }

    public static boolean hasControlCharacters(String text) {
        return text.chars().anyMatch(Character::isISOControl);
    }
}
